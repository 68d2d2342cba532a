// The base of the picture: links, nodes, groups, in as few strokes as there are looks. Healthy links are grey and come
// first, the worst last and on top. Everything is in pixels of the canvas; the painter knows no transformation.
import type { Pen } from './pen'
import type { Scene } from './scene'
import type { Grade } from './types'
import type { ViewEdge, ViewNode } from './view'
import { GRADES, severity } from '@/lib/grade'
import { ADDED, REMOVED } from './compare'
import { paintLabels } from './labels'
import { paintPill } from './pills'
import { pillOf, radiusOf, screenX, screenY } from './scene'
import { agentShape, disc, gradeInside, gradeMark, nodeShape, pinMark, targetShape } from './shapes'
import { isGraded } from './types'
import { isTrouble } from './view'

/** What does not match stays visible, at about a third. */
export const DIM = 0.34
const WIDTHS = [1, 1.6, 2.4, 3.4, 4.6] as const
const HEALTHY_ALPHA = 0.3
const HEALTHY_ALPHA_FEW = 0.55
const FEW_EDGES = 400

/** `labels`: left out while everything moves. */
export function paintScene(pen: Pen, scene: Scene, labels = true): void {
  pen.globalAlpha = 1
  pen.setLineDash([])
  pen.fillStyle = scene.look.surface
  pen.fillRect(0, 0, scene.width, scene.height)
  paintRings(pen, scene)
  paintBands(pen, scene)
  paintEdges(pen, scene)
  paintNodes(pen, scene)
  if (labels)
    paintLabels(pen, scene)
  pen.globalAlpha = 1
}

function paintRings(pen: Pen, scene: Scene): void {
  const { rings } = scene.placed
  if (!rings)
    return
  const { k, x, y } = scene.camera
  pen.strokeStyle = scene.look.line
  pen.lineWidth = 1
  pen.beginPath()
  for (const [rx, ry] of rings.radii) {
    pen.moveTo((rings.x + rx) * k + x, rings.y * k + y)
    pen.ellipse(rings.x * k + x, rings.y * k + y, rx * k, ry * k, 0, 0, 2 * Math.PI)
  }
  pen.stroke()
}

export interface Swim { readonly band: string, readonly x: number, readonly top: number, readonly bottom: number }

/** Opened groups: one rounded box for each column of each. Who was put elsewhere is not in it. */
export function swimsOf(scene: Scene): Swim[] {
  const found = new Map<string, Swim>()
  scene.view.nodes.forEach((node, i) => {
    if (node.band === '' || scene.pinned?.[i] === 1)
      return
    const [x, y] = [screenX(scene, i), screenY(scene, i)]
    const key = `${node.band} ${Math.round(x)}`
    const known = found.get(key)
    found.set(key, { band: node.band, x, top: Math.min(known?.top ?? y, y), bottom: Math.max(known?.bottom ?? y, y) })
  })
  return [...found.values()]
}

function paintBands(pen: Pen, scene: Scene): void {
  if (scene.layout !== 'layered')
    return
  const r = radiusOf(scene) * 2.2
  pen.beginPath()
  for (const { x, top, bottom } of swimsOf(scene))
    pen.roundRect(x - r, top - r, 2 * r, bottom - top + 2 * r, r)
  pen.globalAlpha = 0.75
  pen.fillStyle = scene.look.raised
  pen.fill()
  pen.globalAlpha = 1
  pen.strokeStyle = scene.look.line
  pen.lineWidth = 1
  pen.stroke()
}

/** Of a bundle by its share of the probes, of others by how many paths there are. */
export function widthClass(edge: ViewEdge): number {
  if (edge.bundled)
    return Math.max(0, Math.min(4, Math.round(edge.share * 4)))
  return Math.max(0, Math.min(4, Math.floor(Math.log2(Math.max(1, edge.paths)) / 1.5)))
}

interface Strokes { readonly colour: string, readonly alpha: number, readonly width: number, readonly dashes: number[], readonly order: number, readonly edges: number[] }

/** Of several links together only the part in trouble has its colour: one bad link of a hundred is a thin line. */
function troubleWidth(edge: ViewEdge, full: number): number {
  const part = edge.paths > 0 ? Math.min(1, edge.trouble / edge.paths) : 1
  return Math.max(1.2, full * Math.ceil(part * 4) / 4)
}

function strokesOf(scene: Scene): Strokes[] {
  const { view, look, matches, changes, hidden } = scene
  const quiet = view.edges.length > FEW_EDGES ? HEALTHY_ALPHA : HEALTHY_ALPHA_FEW
  const made = new Map<string, Strokes>()
  const add = (e: number, dim: boolean, stroke: Omit<Strokes, 'edges'>) => {
    const alpha = stroke.alpha * (dim ? DIM : 1)
    const key = `${stroke.order} ${alpha} ${stroke.width} ${stroke.colour}`
    const known = made.get(key)
    if (known)
      known.edges.push(e)
    else
      made.set(key, { ...stroke, alpha, edges: [e] })
  }
  view.edges.forEach((edge, e) => {
    if (hidden && (hidden[edge.source] === 1 || hidden[edge.target] === 1))
      return
    const change = changes?.edges[e] ?? 0
    const trouble = isTrouble(edge.grade)
    const dim = (matches !== null && matches.edges[e] !== 1) || (changes !== null && change === 0)
    const full = WIDTHS[widthClass(edge)] ?? 1
    if (change === ADDED || change === REMOVED) {
      add(e, dim, { colour: change === ADDED ? look.accent : look.text, alpha: change === ADDED ? 1 : 0.9, width: full + 0.8, dashes: change === REMOVED ? [6, 4] : [], order: 9 })
      return
    }
    if (!trouble || edge.trouble < edge.paths)
      add(e, dim, { colour: look.quiet, alpha: quiet, width: full, dashes: [], order: 0 })
    if (trouble)
      add(e, dim, { colour: look.grades[severity(edge.grade)] ?? look.quiet, alpha: edge.grade === 'fair' ? 0.75 : 0.95, width: troubleWidth(edge, full + 0.8), dashes: [], order: severity(edge.grade) })
  })
  return [...made.values()].sort((a, b) => a.order - b.order || b.alpha - a.alpha || a.width - b.width)
}

function paintEdges(pen: Pen, scene: Scene): void {
  const { edges } = scene.view
  pen.lineCap = 'butt'
  for (const strokes of strokesOf(scene)) {
    pen.strokeStyle = strokes.colour
    pen.globalAlpha = strokes.alpha
    pen.lineWidth = strokes.width
    pen.setLineDash(strokes.dashes)
    pen.beginPath()
    for (const e of strokes.edges) {
      const edge = edges[e]
      if (!edge)
        continue
      pen.moveTo(screenX(scene, edge.source), screenY(scene, edge.source))
      pen.lineTo(screenX(scene, edge.target), screenY(scene, edge.target))
    }
    pen.stroke()
  }
  pen.setLineDash([])
  pen.globalAlpha = 1
}

interface Batch { readonly dim: boolean, readonly grade: Grade, readonly anonymous: boolean, readonly plain: boolean, readonly nodes: number[] }

function batchesOf(scene: Scene): Batch[] {
  const made = new Map<string, Batch>()
  scene.view.nodes.forEach((node, i) => {
    if (scene.hidden?.[i] === 1 || node.kind === 'group' || node.kind === 'run')
      return
    const dim = scene.matches !== null && scene.matches.nodes[i] !== 1
    const anonymous = node.kind === 'anonymous'
    // An agent without a grade is an agent like any other.
    const plain = !anonymous && !isGraded(node)
    const key = `${anonymous}${plain}${node.grade}${dim}`
    const batch = made.get(key) ?? { dim, grade: node.grade, anonymous, plain, nodes: [] }
    batch.nodes.push(i)
    made.set(key, batch)
  })
  // The worst come last, what is not known first.
  const order = (grade: Grade) => grade === 'unknown' ? -1 : GRADES.indexOf(grade)
  return [...made.values()].sort((a, b) => Number(b.dim) - Number(a.dim) || Number(b.anonymous) - Number(a.anonymous) || order(a.grade) - order(b.grade))
}

function paintNodes(pen: Pen, scene: Scene): void {
  const r = radiusOf(scene)
  for (const batch of batchesOf(scene))
    paintBatch(pen, scene, batch, r)
  scene.view.nodes.forEach((node, i) => {
    if (scene.hidden?.[i] === 1)
      return
    pen.globalAlpha = scene.matches !== null && scene.matches.nodes[i] !== 1 ? DIM : 1
    const pill = pillOf(scene, i)
    if (pill)
      paintPill(pen, scene, node, pill)
    if (scene.changes && (scene.changes.nodes[i] ?? 0) !== 0)
      paintChange(pen, scene, i, r)
    if (scene.pinned?.[i] === 1)
      paintPin(pen, scene, i)
  })
  pen.globalAlpha = 1
}

function paintBatch(pen: Pen, scene: Scene, batch: Batch, r: number): void {
  const { view, look } = scene
  pen.globalAlpha = batch.dim ? DIM : 1
  pen.beginPath()
  for (const i of batch.nodes) {
    const node = view.nodes[i]
    if (node)
      nodeShape(pen, node, screenX(scene, i), screenY(scene, i), r)
  }
  if (batch.plain) {
    pen.fillStyle = look.muted
    pen.fill()
  }
  else if (batch.anonymous || batch.grade === 'unknown') {
    // Hollow and dashed: nothing is known, which is not bad news.
    pen.fillStyle = look.surface
    pen.fill()
    pen.strokeStyle = batch.anonymous ? look.quiet : look.grades[severity('unknown')] ?? look.quiet
    pen.lineWidth = 1.2
    pen.setLineDash([2, 1.6])
    pen.stroke()
    pen.setLineDash([])
  }
  else {
    pen.fillStyle = look.grades[severity(batch.grade)] ?? look.quiet
    pen.fill()
  }
  if (isTrouble(batch.grade))
    for (const i of batch.nodes)
      paintTrouble(pen, scene, i, r)
  paintDoubles(pen, scene, batch.nodes, r)
}

function paintTrouble(pen: Pen, scene: Scene, i: number, r: number): void {
  const node = scene.view.nodes[i]
  if (!node)
    return
  const [x, y] = [screenX(scene, i), screenY(scene, i)]
  if (node.of === 'hop')
    gradeInside(pen, node.grade, x, y, r * 1.25, scene.look.surface)
  else
    gradeMark(pen, scene.look, node.grade, x + r * 1.7, y - r * 1.7, Math.max(3, r * 0.8))
}

/** A second ring around hops that hand on by labels. */
function paintDoubles(pen: Pen, scene: Scene, nodes: readonly number[], r: number): void {
  const { view, look } = scene
  pen.beginPath()
  for (const i of nodes)
    if (view.nodes[i]?.mpls && view.nodes[i]?.of === 'hop')
      disc(pen, screenX(scene, i), screenY(scene, i), r * 1.75 + 1)
  pen.strokeStyle = look.muted
  pen.lineWidth = 1
  pen.stroke()
}

export function paintPin(pen: Pen, scene: Scene, i: number): void {
  const pill = pillOf(scene, i)
  const off = radiusOf(scene) * 0.9
  pinMark(pen, scene.look, pill ? pill.x + 6 : screenX(scene, i) - off, pill ? pill.y + 3 : screenY(scene, i) - off)
}

function paintChange(pen: Pen, scene: Scene, i: number, r: number): void {
  const added = scene.changes?.nodes[i] === ADDED
  pen.beginPath()
  ringAround(pen, scene.view.nodes[i], screenX(scene, i), screenY(scene, i), r)
  pen.strokeStyle = added ? scene.look.accent : scene.look.text
  pen.lineWidth = 2
  pen.setLineDash(added ? [] : [3, 3])
  pen.stroke()
  pen.setLineDash([])
}

export function ringAround(pen: Pen, node: ViewNode | undefined, x: number, y: number, r: number): void {
  if (node?.of === 'agent')
    agentShape(pen, x, y, r + 2.5)
  else if (node?.of === 'target')
    targetShape(pen, x, y, r + 2.5)
  else
    disc(pen, x, y, r * 1.5 + 3.5)
}
