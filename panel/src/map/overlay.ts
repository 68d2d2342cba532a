// On top of the base: what is pointed at or selected, with its paths curved and the rest of the picture veiled.
import type { Focus } from './focus'
import type { Pen } from './pen'
import type { Scene } from './scene'
import { severity } from '@/lib/grade'
import { labelsOf } from './labels'
import { DIM, paintPin, ringAround } from './paint'
import { paintPill } from './pills'
import { pillOf, radiusOf, screenX, screenY } from './scene'
import { gradeInside, gradeMark, nodeShape } from './shapes'
import { isGraded } from './types'
import { isTrouble } from './view'

const WIDEST = 4.5

function paintVeil(pen: Pen, scene: Scene): void {
  pen.globalAlpha = 1 - DIM
  pen.setLineDash([])
  pen.fillStyle = scene.look.surface
  pen.fillRect(0, 0, scene.width, scene.height)
  pen.globalAlpha = 1
}

/** A node on its way by hand, and what it is linked with. */
export function paintHeld(pen: Pen, scene: Scene, i: number): void {
  paintVeil(pen, scene)
  const links = scene.view.edges.filter(edge => edge.source === i || edge.target === i)
  pen.strokeStyle = scene.look.muted
  pen.lineWidth = 1.6
  pen.beginPath()
  for (const edge of links) {
    pen.moveTo(screenX(scene, edge.source), screenY(scene, edge.source))
    pen.lineTo(screenX(scene, edge.target), screenY(scene, edge.target))
  }
  pen.stroke()
  new Set(links.map(edge => edge.source === i ? edge.target : edge.source)).forEach(other => paintNode(pen, scene, other, false))
  paintNode(pen, scene, i, true)
  paintNamesOf(pen, scene, new Set([i]), new Set([i]))
}

export function paintOverlay(pen: Pen, scene: Scene, focus: Focus): void {
  paintVeil(pen, scene)
  paintLinks(pen, scene, focus)
  for (const i of focus.nodes) {
    paintNode(pen, scene, i, focus.of.includes(i))
    if (scene.pinned?.[i] === 1)
      paintPin(pen, scene, i)
  }
  paintNames(pen, scene, focus)
}

function paintLinks(pen: Pen, scene: Scene, focus: Focus): void {
  const most = focus.count.reduce((a, b) => Math.max(a, b), 1)
  const grades = gradesOfLinks(scene, focus)
  // The worst last.
  const order = Array.from(focus.source.keys()).sort((a, b) => (grades[a] ?? 0) - (grades[b] ?? 0) || (focus.count[a] ?? 0) - (focus.count[b] ?? 0))
  pen.lineCap = 'round'
  // One stroke for each look: colour by grade, four widths.
  let open = ''
  for (const e of order) {
    const grade = grades[e] ?? 0
    const width = 1.2 + (WIDEST - 1.2) * Math.ceil(4 * (focus.count[e] ?? 1) / most) / 4
    const look = `${grade} ${width}`
    if (look !== open) {
      if (open !== '')
        pen.stroke()
      pen.beginPath()
      pen.strokeStyle = grade === 0 ? scene.look.muted : scene.look.grades[grade] ?? scene.look.muted
      pen.lineWidth = width
      open = look
    }
    link(pen, scene, focus.source[e] ?? 0, focus.target[e] ?? 0)
  }
  if (open !== '')
    pen.stroke()
  pen.lineCap = 'butt'
}

function link(pen: Pen, scene: Scene, s: number, t: number): void {
  const [x0, y0, x1, y1] = [screenX(scene, s), screenY(scene, s), screenX(scene, t), screenY(scene, t)]
  pen.moveTo(x0, y0)
  if (scene.layout === 'layered') {
    const middle = (x0 + x1) / 2
    pen.bezierCurveTo(middle, y0, middle, y1, x1, y1)
  }
  else {
    // A slight bow, always to the same side, keeps the two directions of a link apart.
    const [bx, by] = [(y1 - y0) * 0.08, (x0 - x1) * 0.08]
    pen.bezierCurveTo(x0 + (x1 - x0) / 3 + bx, y0 + (y1 - y0) / 3 + by, x0 + 2 * (x1 - x0) / 3 + bx, y0 + 2 * (y1 - y0) / 3 + by, x1, y1)
  }
}

/** Severity of each link of the focus where there is trouble, 0 elsewhere. */
function gradesOfLinks(scene: Scene, focus: Focus): Uint8Array {
  const size = scene.view.nodes.length
  const wanted = new Map<number, number>()
  focus.source.forEach((s, e) => wanted.set(s * size + (focus.target[e] ?? 0), e))
  const grades = new Uint8Array(focus.source.length)
  for (const edge of scene.view.edges) {
    if (!isTrouble(edge.grade))
      continue
    const e = wanted.get(edge.source * size + edge.target)
    if (e !== undefined)
      grades[e] = severity(edge.grade)
  }
  return grades
}

function paintNode(pen: Pen, scene: Scene, i: number, chosen: boolean): void {
  const node = scene.view.nodes[i]
  if (!node || scene.hidden?.[i] === 1)
    return
  const [x, y] = [screenX(scene, i), screenY(scene, i)]
  const r = radiusOf(scene) * (chosen ? 1.35 : 1.1)
  const pill = pillOf(scene, i)
  if (pill) {
    paintPill(pen, scene, node, pill)
    if (chosen) {
      pen.beginPath()
      pen.roundRect(pill.x - 3, pill.y - 3, pill.w + 6, pill.h + 6, pill.h / 2 + 3)
      outline(pen, scene)
    }
    return
  }
  const plain = node.kind !== 'anonymous' && !isGraded(node)
  const silent = !plain && (node.kind === 'anonymous' || node.grade === 'unknown')
  pen.beginPath()
  nodeShape(pen, node, x, y, r)
  pen.fillStyle = silent ? scene.look.surface : plain ? scene.look.muted : scene.look.grades[severity(node.grade)] ?? scene.look.muted
  pen.fill()
  pen.lineWidth = 1.2
  pen.strokeStyle = silent ? scene.look.muted : scene.look.surface
  pen.setLineDash(silent ? [2, 1.6] : [])
  pen.stroke()
  pen.setLineDash([])
  if (isTrouble(node.grade)) {
    if (node.of === 'hop')
      gradeInside(pen, node.grade, x, y, r * 1.25, scene.look.surface)
    else
      gradeMark(pen, scene.look, node.grade, x + r * 1.7, y - r * 1.7, Math.max(3, r * 0.8))
  }
  if (chosen) {
    pen.beginPath()
    ringAround(pen, node, x, y, r)
    outline(pen, scene)
  }
}

function outline(pen: Pen, scene: Scene): void {
  pen.strokeStyle = scene.look.text
  pen.lineWidth = 2
  pen.stroke()
}

function paintNames(pen: Pen, scene: Scene, focus: Focus): void {
  const chosen = new Set(focus.of)
  const ends = new Set([...focus.nodes].filter(i => chosen.has(i) || scene.view.nodes[i]?.of !== 'hop' || isTrouble(scene.view.nodes[i]?.grade ?? 'unknown')))
  paintNamesOf(pen, scene, ends, chosen)
}

function paintNamesOf(pen: Pen, scene: Scene, named: ReadonlySet<number>, bold: ReadonlySet<number>): void {
  pen.textBaseline = 'middle'
  for (const label of labelsOf(scene, named, bold)) {
    const w = label.text.length * 6.2 + 4
    const x = label.align === 'right' ? label.x - w + 2 : label.align === 'left' ? label.x - 2 : label.x - w / 2
    pen.fillStyle = scene.look.surface
    pen.globalAlpha = 0.8
    pen.fillRect(x, label.y - 7, w, 14)
    pen.globalAlpha = 1
    pen.fillStyle = scene.look.text
    pen.font = label.font
    pen.textAlign = label.align
    pen.fillText(label.text, label.x, label.y)
  }
}
