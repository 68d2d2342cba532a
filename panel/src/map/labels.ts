// Names where there is room for them: ends of paths first, then trouble, then hops when one is close. No two overlap.
import type { Pen } from './pen'
import type { Scene } from './scene'
import { urgency } from '@/lib/grade'
import { MONO_SIGN, PILL_H, radiusOf, screenX, screenY, TEXT_SIGN } from './scene'
import { clipped, nodeName } from './words'

const SHOWN_MAX = 250
const HOPS_FROM = 2.2
const HOPS_NOT_BELOW = 0.6
const FEW_NODES = 60
const LINE_H = 13
const BADGES_FROM = 1.5

const SANS = '11px "Inter Variable", Inter, sans-serif'
const BOLD = '600 11px "Inter Variable", Inter, sans-serif'
const MONO = '10px "JetBrains Mono Variable", monospace'

interface Box { readonly x: number, readonly y: number, readonly w: number, readonly h: number }

/** Says whether a box is free, and takes it. Boxes are kept by cells, so that one question asks few others. */
export class Room {
  private readonly cells = new Map<number, Box[]>()
  private static readonly CELL = 64

  take(box: Box): boolean {
    const keys = this.keysOf(box)
    const meets = (other: Box) => box.x < other.x + other.w && other.x < box.x + box.w && box.y < other.y + other.h && other.y < box.y + box.h
    if (keys.some(key => this.cells.get(key)?.some(meets)))
      return false
    for (const key of keys)
      this.cells.set(key, [...this.cells.get(key) ?? [], box])
    return true
  }

  private keysOf({ x, y, w, h }: Box): number[] {
    const cell = (value: number) => Math.floor(value / Room.CELL)
    const keys: number[] = []
    for (let cx = cell(x); cx <= cell(x + w); cx += 1)
      for (let cy = cell(y); cy <= cell(y + h); cy += 1)
        keys.push(cx * 4096 + cy)
    return keys
  }
}

export interface Label { readonly node: number, readonly text: string, readonly x: number, readonly y: number, readonly align: CanvasTextAlign, readonly font: string }

/** `only`: the nodes that may have one. */
export function labelsOf(scene: Scene, only: ReadonlySet<number> | null, bold: ReadonlySet<number>): Label[] {
  const { view, camera, width, height } = scene
  const r = radiusOf(scene)
  const hops = only !== null || camera.k >= HOPS_FROM || (view.nodes.length <= FEW_NODES && camera.k >= HOPS_NOT_BELOW)
  const candidates = view.nodes.flatMap((node, i) => {
    if ((only && !only.has(i)) || scene.hidden?.[i] === 1 || node.kind === 'group' || node.kind === 'run')
      return []
    if (node.of === 'hop' && !hops)
      return []
    const [x, y] = [screenX(scene, i), screenY(scene, i)]
    return x < 0 || y < 0 || x > width || y > height ? [] : [{ i, node, x, y }]
  })
  const dimmed = (i: number) => scene.matches !== null && scene.matches.nodes[i] !== 1 ? 1 : 0
  const rank = { agent: 0, target: 0, hop: 1 }
  candidates.sort((a, b) => Number(bold.has(b.i)) - Number(bold.has(a.i)) || dimmed(a.i) - dimmed(b.i) || rank[a.node.of] - rank[b.node.of] || urgency(a.node.grade) - urgency(b.node.grade) || b.node.paths - a.node.paths || a.i - b.i)
  const room = new Room()
  const made: Label[] = []
  for (const { i, node, x, y } of candidates) {
    if (made.length >= SHOWN_MAX)
      break
    const single = view.graph.nodes[node.members[0] ?? 0]
    const label = placed(scene, { i, of: node.of, x, y, r, text: single ? nodeName(single) : '', bold: bold.has(i) })
    if (label && room.take(boxOf(label)))
      made.push(label)
  }
  return made
}

interface Asked { readonly i: number, readonly of: 'agent' | 'hop' | 'target', readonly x: number, readonly y: number, readonly r: number, readonly text: string, readonly bold: boolean }

function placed(scene: Scene, asked: Asked): Label | null {
  const { i, of, x, y, r, bold } = asked
  const sideways = of !== 'hop' && scene.layout === 'layered'
  const font = of === 'hop' ? MONO : bold ? BOLD : SANS
  const sign = of === 'hop' ? MONO_SIGN : TEXT_SIGN
  if (sideways) {
    const gap = r * 1.9 + 5
    const left = of === 'agent'
    const text = clipped(asked.text, (left ? x : scene.width - x) - gap - 4, sign)
    return text === '' ? null : { node: i, text, x: left ? x - gap : x + gap, y, align: left ? 'right' : 'left', font }
  }
  const space = scene.layout === 'layered' ? scene.placed.columnGap * scene.camera.k - 6 : 170
  const text = clipped(asked.text, space, sign)
  return text === '' ? null : { node: i, text, x, y: y + r * 1.6 + 9, align: 'center', font }
}

function boxOf(label: Label): Box {
  const w = label.text.length * (label.font === MONO ? MONO_SIGN : TEXT_SIGN)
  const x = label.align === 'right' ? label.x - w : label.align === 'left' ? label.x : label.x - w / 2
  return { x, y: label.y - LINE_H / 2, w, h: LINE_H }
}

export function paintLabels(pen: Pen, scene: Scene): void {
  pen.textBaseline = 'middle'
  for (const label of labelsOf(scene, null, new Set())) {
    const node = scene.view.nodes[label.node]
    pen.globalAlpha = scene.matches !== null && scene.matches.nodes[label.node] !== 1 ? 0.6 : 1
    pen.fillStyle = node?.of === 'hop' ? scene.look.muted : scene.look.text
    pen.font = label.font
    pen.textAlign = label.align
    pen.fillText(label.text, label.x, label.y)
  }
  pen.globalAlpha = 1
  paintSwimNames(pen, scene)
  paintFanouts(pen, scene)
}

/** Over how many next hops one probe's packets are spread. */
function paintFanouts(pen: Pen, scene: Scene): void {
  if (scene.view.nodes.length > 400 && scene.camera.k < BADGES_FROM)
    return
  const r = radiusOf(scene)
  pen.font = '600 10px "Inter Variable", Inter, sans-serif'
  pen.textAlign = 'left'
  scene.view.nodes.forEach((node, i) => {
    if (node.fanout < 2 || scene.hidden?.[i] === 1)
      return
    const text = `×${node.fanout}`
    const half = node.kind === 'group' || node.kind === 'run' ? -PILL_H / 2 - 7 : -r * 1.5 - 6
    const [x, y, w] = [screenX(scene, i) + r * 0.8, screenY(scene, i) + half, text.length * 6 + 6]
    pen.beginPath()
    pen.roundRect(x, y - 6, w, 12, 6)
    pen.fillStyle = scene.look.raised
    pen.fill()
    pen.fillStyle = scene.look.text
    pen.fillText(text, x + 3, y + 0.5)
  })
}

/** Above the first box of each opened group. */
function paintSwimNames(pen: Pen, scene: Scene): void {
  if (scene.layout !== 'layered')
    return
  const first = new Map<string, { x: number, y: number }>()
  scene.view.nodes.forEach((node, i) => {
    if (node.band === '' || scene.pinned?.[i] === 1)
      return
    const [x, y] = [screenX(scene, i), screenY(scene, i)]
    const known = first.get(node.band)
    if (!known || x < known.x || (x === known.x && y < known.y))
      first.set(node.band, { x, y })
  })
  const r = radiusOf(scene)
  pen.font = SANS
  pen.fillStyle = scene.look.muted
  pen.textAlign = 'center'
  for (const [band, { x, y }] of first)
    pen.fillText(clipped(band.split(':').slice(2).join(':'), 150, TEXT_SIGN), x, y - r * 2.2 - 15)
}
