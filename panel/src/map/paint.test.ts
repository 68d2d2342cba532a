import type { Camera } from './camera'
import type { Pen } from './pen'
import type { Scene } from './scene'
import type { Grade } from './types'
import { describe, expect, it } from 'vitest'
import { makeTopology } from '../../tests/mock/topology'
import { centred, fitted, HOME, inView, panned, toWorld, ZOOM_MAX, ZOOM_MIN, zoomed } from './camera'
import { compare } from './compare'
import { changesOf } from './changes'
import { focusOf } from './focus'
import { makeGraph } from './graph'
import { labelsOf, Room } from './labels'
import { layered } from './layered'
import { frameOf, layoutInput } from './layout'
import { beginnings, between, eased } from './motion'
import { paintOverlay } from './overlay'
import { DIM, paintScene, widthClass } from './paint'
import { SvgPen } from './pen'
import { Picker } from './pick'
import { pillOf, screenX, screenY } from './scene'
import { network } from './testing'
import { makeView } from './view'

const LOOK = { grades: ['#excellent', '#good', '#fair', '#poor', '#critical', '#unknown'], text: '#text', muted: '#muted', line: '#line', quiet: '#quiet', surface: '#surface', raised: '#raised', accent: '#accent' }
const PLAIN = { agents: 'none', hops: 'none', targets: 'none', fold: false, open: new Set<string>() } as const

function sceneOf(topology: Parameters<typeof makeGraph>[0], part: Partial<Scene> = {}, grouping: Partial<Parameters<typeof makeView>[1]> = {}): Scene {
  const view = makeView(makeGraph(topology), { ...PLAIN, ...grouping })
  const placed = layered(layoutInput(view, frameOf(1000, 700)))
  return { view, layout: 'layered', placed, positions: placed.positions, camera: HOME, width: 1000, height: 700, look: LOOK, matches: null, changes: null, hidden: null, pinned: null, ...part }
}

interface Stroke { kind: 'fill' | 'stroke' | 'text' | 'rect', colour: string, alpha: number, width: number, dashes: number, lines: number, text?: string }

/** Writes down what is painted. */
class Witness implements Pen {
  fillStyle: Pen['fillStyle'] = ''
  strokeStyle: Pen['strokeStyle'] = ''
  lineWidth = 1
  globalAlpha = 1
  font = ''
  textAlign: CanvasTextAlign = 'left'
  textBaseline: CanvasTextBaseline = 'middle'
  lineCap: CanvasLineCap = 'butt'
  strokes: Stroke[] = []
  numbers: number[] = []
  private dashes = 0
  private lines = 0
  beginPath() { this.lines = 0 }
  closePath() {}
  moveTo(...at: number[]) { this.numbers.push(...at) }
  lineTo(...at: number[]) { this.lines += 1; this.numbers.push(...at) }
  bezierCurveTo(...at: number[]) { this.lines += 1; this.numbers.push(...at) }
  arc(...at: number[]) { this.numbers.push(...at) }
  ellipse(...at: number[]) { this.numbers.push(...at) }
  rect(...at: number[]) { this.numbers.push(...at) }
  roundRect(...at: number[]) { this.numbers.push(...at) }
  setLineDash(dashes: number[]) { this.dashes = dashes.length }
  fill() { this.note('fill', this.fillStyle) }
  stroke() { this.note('stroke', this.strokeStyle) }
  fillRect(...at: number[]) { this.numbers.push(...at); this.note('rect', this.fillStyle) }
  fillText(text: string, x: number, y: number) { this.numbers.push(x, y); this.note('text', this.fillStyle, text) }
  private note(kind: Stroke['kind'], colour: unknown, text?: string) { this.strokes.push({ kind, colour: String(colour), alpha: this.globalAlpha, width: this.lineWidth, dashes: this.dashes, lines: this.lines, ...(text === undefined ? {} : { text }) }) }
}
function painted(scene: Scene): Witness {
  const pen = new Witness()
  paintScene(pen, scene)
  return pen
}

describe('the base', () => {
  const troubled = network(['a1 r1 r2 r3 t1', 'a2 r1 x1 r4 t2'], { grades: { r2: 'critical', r4: 'fair' }, edges: { 'r1>r2': { grade: 'critical' }, 'x1>r4': { grade: 'fair' } } })
  it('has grey for healthy links first, and the worst colour last', () => {
    const lines = painted(sceneOf(troubled)).strokes.filter(stroke => stroke.kind === 'stroke' && stroke.lines > 0 && ['#quiet', '#fair', '#critical'].includes(stroke.colour))
    expect(lines.map(stroke => stroke.colour).slice(0, 3)).toEqual(['#quiet', '#fair', '#critical'])
    expect(lines[0]?.alpha).toBeLessThan(lines[2]?.alpha ?? 0)
  })
  it('takes as many strokes as there are looks, not as there are links', () => {
    const scene = sceneOf(makeTopology({ agents: 12, targets: 18, hops: 300, edges: 1200 }))
    expect(scene.view.edges.length).toBeGreaterThan(1000)
    expect(painted(scene).strokes.filter(stroke => stroke.lines > 0).length).toBeLessThan(120)
  })
  it('draws hops without an answer hollow and dashed, never in the colour of a grade', () => {
    const grades: Grade[] = ['critical', 'poor', 'excellent']
    for (const grade of grades) {
      const pen = painted(sceneOf(network(['x1 x2'], { grades: { x1: grade, x2: grade } })))
      expect(pen.strokes.some(stroke => stroke.colour === `#${grade}`)).toBe(false)
      expect(pen.strokes.some(stroke => stroke.kind === 'stroke' && stroke.dashes > 0)).toBe(true)
    }
  })
  it('draws an agent without a grade solid: it is not in trouble, and not silent', () => {
    const pen = painted(sceneOf(network(['a1 r1 t1'], { grades: { a1: 'unknown' } })))
    expect(pen.strokes.some(stroke => stroke.kind === 'fill' && stroke.colour === '#muted')).toBe(true)
    expect(pen.strokes.some(stroke => stroke.dashes > 0)).toBe(false)
  })
  it('dims what does not match to a third', () => {
    const scene = sceneOf(troubled)
    const none = { nodes: new Uint8Array(scene.view.nodes.length), edges: new Uint8Array(scene.view.edges.length) }
    const bright = painted(scene).strokes
    const dim = painted({ ...scene, matches: none }).strokes
    const alpha = (list: Stroke[], colour: string) => list.find(stroke => stroke.kind === 'stroke' && stroke.colour === colour && stroke.lines > 0)?.alpha ?? 0
    expect(alpha(dim, '#critical')).toBeCloseTo(alpha(bright, '#critical') * DIM)
  })
  it('shows what came as solid, what went as dashed', () => {
    const both = compare(network(['a1 r1 t1']), network(['a1 r2 t1']))
    const scene = sceneOf(both.both)
    const lines = painted({ ...scene, changes: changesOf(scene.view, both) }).strokes.filter(stroke => stroke.kind === 'stroke' && stroke.lines > 0)
    expect(lines.some(stroke => stroke.colour === '#accent' && stroke.dashes === 0)).toBe(true)
    expect(lines.some(stroke => stroke.colour === '#text' && stroke.dashes > 0)).toBe(true)
  })
  it('gives a group the colour of its trouble in the width of its share', () => {
    const topology = network(['a1 r1 r9 t1', 'a1 r2 r9 t1', 'a1 r3 r9 t1', 'a1 r4 r9 t1'], { edges: { 'r1>r9': { grade: 'critical' } }, nodes: { r9: { address: '198.51.100.9' } } })
    const lines = painted(sceneOf(topology, {}, { hops: '24' })).strokes.filter(stroke => stroke.kind === 'stroke' && stroke.lines > 0)
    const [grey, red] = [lines.find(stroke => stroke.colour === '#quiet' && stroke.width > 1.5), lines.find(stroke => stroke.colour === '#critical')]
    expect(red?.width).toBeLessThan(grey?.width ?? 0)
  })
  it('makes branches of one probe as wide as their share', () => {
    const edge = (share: number, bundled = true) => ({ source: 0, target: 1, members: [0], paths: 1, trouble: 0, share, bundled, grade: 'excellent' as const, delay_us: null, loss_ratio: null })
    expect([0.1, 0.3, 0.5, 1].map(share => widthClass(edge(share)))).toEqual([0, 1, 2, 4])
    expect(widthClass({ ...edge(1, false), paths: 64 })).toBe(4)
  })
  it('says over how many next hops one probe is balanced', () => {
    expect(painted(sceneOf(network(['a1 r1 r2 t1 / a1 r1 r3 t1 / a1 r1 r4 t1']))).strokes.map(stroke => stroke.text)).toContain('×3')
  })
  it('knows no number that is none', () => {
    for (const k of [ZOOM_MIN, 1, ZOOM_MAX])
      expect(painted(sceneOf(makeTopology({ agents: 4, targets: 3, hops: 60, edges: 200 }), { camera: { k, x: -40, y: 12 } })).numbers.every(Number.isFinite)).toBe(true)
  })
})

describe('names', () => {
  it('never overlap', () => {
    const scene = sceneOf(makeTopology({ agents: 24, targets: 36, hops: 300, edges: 900 }), { camera: { k: 3, x: -900, y: -600 } })
    const labels = labelsOf(scene, null, new Set())
    expect(labels.length).toBeGreaterThan(10)
    expect(labels.length).toBeLessThanOrEqual(250)
    const boxes = labels.map((label) => {
      const w = label.text.length * 5.9
      return { x: label.align === 'right' ? label.x - w : label.align === 'left' ? label.x : label.x - w / 2, y: label.y - 5, w, h: 10 }
    })
    for (let i = 0; i < boxes.length; i += 1) {
      for (let k = i + 1; k < boxes.length; k += 1) {
        const [a, b] = [boxes[i], boxes[k]]
        expect(a && b && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h).toBe(false)
      }
    }
  })
  it('of hops come when one is close, or when there are few', () => {
    const many = makeTopology({ agents: 8, targets: 6, hops: 200, edges: 700 })
    const hops = (scene: Scene) => labelsOf(scene, null, new Set()).filter(label => scene.view.nodes[label.node]?.of === 'hop').length
    expect(hops(sceneOf(many))).toBe(0)
    expect(hops(sceneOf(many, { camera: { k: 2.3, x: -500, y: -300 } }))).toBeGreaterThan(0)
    expect(hops(sceneOf(network(['a1 r1 r2 t1'])))).toBe(2)
    expect(hops(sceneOf(network(['a1 r1 r2 t1']), { camera: { k: 0.5, x: 0, y: 0 } }))).toBe(0)
  })
  it('turn nothing round and hide nothing', () => {
    const scene = sceneOf(network(['a1 r1 t1'], { nodes: { t1: { name: 'evil\u202Egpj.exe' } } }))
    expect(labelsOf(scene, null, new Set()).map(label => label.text).join()).not.toContain('\u202E')
  })
  it('find room only once', () => {
    const room = new Room()
    expect(room.take({ x: 0, y: 0, w: 50, h: 10 })).toBe(true)
    expect(room.take({ x: 49, y: 9, w: 5, h: 5 })).toBe(false)
    expect(room.take({ x: 50, y: 0, w: 5, h: 5 })).toBe(true)
    expect(room.take({ x: -200, y: -200, w: 500, h: 500 })).toBe(false)
  })
})

describe('the overlay', () => {
  it('veils the rest and draws the paths curved, the most shared widest, trouble in its colour', () => {
    const scene = sceneOf(network(['a1 r1 r2 t1', 'a2 r1 r2 t2', 'a3 r9 t3'], { edges: { 'r1>r2': { grade: 'poor' } } }))
    const pen = new Witness()
    const r1 = scene.view.index.get('r1') ?? -1
    paintOverlay(pen, scene, focusOf(scene.view, [{ node: r1, members: scene.view.nodes[r1]?.members ?? [] }], false))
    expect(pen.strokes[0]).toMatchObject({ kind: 'rect', colour: '#surface', alpha: 1 - DIM })
    const lines = pen.strokes.filter(stroke => stroke.kind === 'stroke' && stroke.lines > 0)
    expect(lines.find(stroke => stroke.colour === '#poor')?.width).toBeGreaterThan(lines.find(stroke => stroke.colour === '#muted')?.width ?? 99)
    expect(pen.strokes.map(stroke => stroke.text)).toEqual(expect.arrayContaining(['a1', '203.0.113.1', '192.0.2.1']))
    expect(pen.strokes.map(stroke => stroke.text)).not.toContain('a3')
  })
})

describe('a saved picture', () => {
  it('is what is on the page, and hostile names are text in it', () => {
    const scene = sceneOf(network(['a1 r1 x1 t1'], { nodes: { a1: { name: '<script>alert("1")</script>&' } } }), { layout: 'layered' })
    const pen = new SvgPen()
    paintScene(pen, scene)
    const svg = pen.toSvg(1000, 700)
    expect(svg).toContain('&lt;script&gt;')
    expect(svg).not.toContain('<script')
    const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml')
    expect(parsed.querySelector('parsererror')).toBeNull()
    expect(parsed.querySelectorAll('path').length).toBeGreaterThan(4)
    expect(svg).not.toMatch(/NaN|undefined|Infinity/)
    expect(svg).toContain('stroke-dasharray')
  })
})

describe('picking', () => {
  it('finds the node under the pointer at any magnification, and nothing between', () => {
    for (const camera of [HOME, { k: 4, x: -800, y: -500 }] satisfies Camera[]) {
      const scene = sceneOf(makeTopology({ agents: 4, targets: 3, hops: 60, edges: 200 }), { camera })
      const picker = new Picker()
      picker.index(scene)
      for (let i = 0; i < scene.view.nodes.length; i += 1) {
        const found = picker.at(scene, screenX(scene, i), screenY(scene, i))
        expect([screenX(scene, found), screenY(scene, found)]).toEqual([screenX(scene, i), screenY(scene, i)])
      }
      expect(picker.at(scene, -5000, -5000)).toBe(-1)
    }
  })
  it('takes the whole pill of a group', () => {
    const scene = sceneOf(network(['a1 r1 t1', 'a2 r2 t2'], { nodes: { r1: { address: '10.0.0.1' }, r2: { address: '10.0.0.2' } } }), {}, { hops: '24' })
    const picker = new Picker()
    picker.index(scene)
    const group = scene.view.index.get('hops:24:10.0.0.0/24') ?? -1
    const pill = pillOf(scene, group)
    expect(pill?.label).toBe('10.0.0/24')
    expect(picker.at(scene, (pill?.x ?? 0) + 2, (pill?.y ?? 0) + 2)).toBe(group)
  })
  it('leaves out what is hidden', () => {
    const scene = sceneOf(network(['a1 r1 t1']))
    const picker = new Picker()
    picker.index({ ...scene, hidden: new Uint8Array(3).fill(1) })
    expect(picker.at(scene, screenX(scene, 0), screenY(scene, 0))).toBe(-1)
  })
})

describe('motion', () => {
  it('begins where nodes were, and ends where they are placed', () => {
    const [before, after] = [sceneOf(network(['a1 r1 t1'])), sceneOf(network(['a1 r1 t1', 'a2 r2 t1']))]
    const from = beginnings(before.view, before.positions, after.view, after.positions)
    const at = (scene: Scene, key: string, list: Float32Array) => [...list.subarray((scene.view.index.get(key) ?? 0) * 2, (scene.view.index.get(key) ?? 0) * 2 + 2)]
    expect(at(after, 'r1', from)).toEqual(at(before, 'r1', before.positions))
    expect(at(after, 'r2', from)).toEqual(at(after, 'r2', after.positions))
    expect(between(from, after.positions, 0)).toEqual(from)
    expect(between(from, after.positions, 1)).toEqual(after.positions)
    expect(eased(-1)).toBe(0)
    expect(eased(2)).toBe(1)
  })
  it('lets members come out of their group', () => {
    const topology = network(['a1 r1 t1', 'a2 r2 t2'], { nodes: { r1: { address: '10.0.0.1' }, r2: { address: '10.0.0.2' } } })
    const [grouped, open] = [sceneOf(topology, {}, { hops: '24' }), sceneOf(topology)]
    const from = beginnings(grouped.view, grouped.positions, open.view, open.positions)
    const group = grouped.view.index.get('hops:24:10.0.0.0/24') ?? 0
    for (const key of ['r1', 'r2'])
      expect(from[(open.view.index.get(key) ?? 0) * 2 + 1]).toBe(grouped.positions[group * 2 + 1])
  })
})

describe('the camera', () => {
  it('keeps what is under the pointer under it', () => {
    const before = { k: 1.3, x: 40, y: -20 }
    const after = zoomed(before, 200, 150, 1.7)
    expect(toWorld(after, 200, 150)[0]).toBeCloseTo(toWorld(before, 200, 150)[0])
    expect(toWorld(after, 200, 150)[1]).toBeCloseTo(toWorld(before, 200, 150)[1])
    expect(zoomed(before, 0, 0, 1e9).k).toBe(ZOOM_MAX)
    expect(zoomed(before, 0, 0, 0).k).toBe(ZOOM_MIN)
  })
  it('fits everything, a single node and nothing', () => {
    const camera = fitted(Float32Array.of(-500, -500, 1500, 900), 1000, 700, 40)
    for (const [x, y] of [[-500, -500], [1500, 900]] as const)
      expect(inView(camera, x, y, 1000, 700, 39)).toBe(true)
    expect(fitted(Float32Array.of(5, 5), 1000, 700, 40)).toEqual({ k: 2, x: 490, y: 340 })
    expect(fitted(new Float32Array(), 1000, 700, 40)).toEqual(HOME)
  })
  it('moves and centres', () => {
    expect(panned(HOME, 3, 4)).toEqual({ k: 1, x: 3, y: 4 })
    expect(centred({ k: 2, x: 0, y: 0 }, 10, 20, 100, 100)).toEqual({ k: 2, x: 30, y: 10 })
  })
})
