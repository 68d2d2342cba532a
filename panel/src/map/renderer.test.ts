import type { RenderEnvironment } from './renderer'
import { describe, expect, it } from 'vitest'
import { chosenByKey, focusOf } from './focus'
import { makeGraph } from './graph'
import { layered } from './layered'
import { frameOf, layoutInput } from './layout'
import { MOTION_MS } from './motion'
import { MapRenderer } from './renderer'
import { network } from './testing'
import { makeView } from './view'

const LOOK = { grades: ['#1', '#2', '#3', '#4', '#5', '#6'], text: '#t', muted: '#m', line: '#l', quiet: '#q', surface: '#s', raised: '#r', accent: '#a' }

/** A canvas that counts: what is painted anew, and what is moved as a bitmap. */
function fakeCanvas() {
  const calls: string[] = []
  const ctx = new Proxy({} as Record<string, unknown>, {
    get: (target, name) => name in target ? target[String(name)] : (...args: unknown[]) => { calls.push(name === 'drawImage' ? 'drawImage' : `${String(name)}${name === 'setTransform' ? ` ${args.join(' ')}` : ''}`) },
    set: (target, name, value) => {
      target[String(name)] = value
      return true
    },
  })
  return { canvas: { width: 0, height: 0, getContext: () => ctx } as unknown as HTMLCanvasElement, calls, painted: () => calls.filter(call => call === 'stroke').length, moved: () => calls.filter(call => call === 'drawImage').length, clear: () => { calls.length = 0 } }
}

function world(still = false) {
  const frames: (() => void)[] = []
  const timers: (() => void)[] = []
  let now = 0
  const env: RenderEnvironment = {
    frame: (run) => {
      frames.push(run)
      return () => { frames.splice(frames.indexOf(run), 1) }
    },
    later: (run) => {
      timers.push(run)
      return () => { if (timers.includes(run)) timers.splice(timers.indexOf(run), 1) }
    },
    now: () => now, still: () => still, canvas: () => fakeCanvas().canvas,
  }
  const [base, over] = [fakeCanvas(), fakeCanvas()]
  const renderer = new MapRenderer(base.canvas, over.canvas, LOOK, env)
  const pictureOf = (texts: readonly string[]) => {
    const view = makeView(makeGraph(network(texts)), { agents: 'none', hops: 'none', targets: 'none', fold: false, open: new Set() })
    return { view, layout: 'layered' as const, placed: layered(layoutInput(view, frameOf(800, 600))), hidden: null, pinned: null }
  }
  const frame = () => frames.splice(0).forEach(run => run())
  return { renderer, base, over, frames, timers, frame, pictureOf, pass: (ms: number) => { now += ms }, rest: () => timers.splice(0).forEach(run => run()) }
}

describe('the renderer', () => {
  it('paints once for many requests of one frame', () => {
    const { renderer, base, frames, frame, pictureOf } = world()
    renderer.resize(800, 600, 1)
    renderer.show(pictureOf(['a1 r1 t1']), true)
    renderer.mark(null, null)
    renderer.setLook(LOOK)
    expect(frames).toHaveLength(1)
    frame()
    expect(base.calls.filter(call => call === 'fillRect').length).toBe(1)
    expect(base.painted()).toBeGreaterThan(0)
  })
  it('moves the picture as a bitmap, and is crisp again when it rests', () => {
    const { renderer, base, frame, rest, pictureOf } = world()
    renderer.resize(800, 600, 1)
    renderer.show(pictureOf(['a1 r1 t1']), true)
    frame()
    base.clear()
    renderer.panBy(10, 0)
    renderer.zoomBy(1.2)
    frame()
    expect([base.painted(), base.moved()]).toEqual([0, 1])
    rest()
    frame()
    expect(base.painted()).toBeGreaterThan(0)
  })
  it('lets nodes go to their new places for a quarter of a second, and not at all when nothing may move', () => {
    for (const still of [false, true]) {
      const { renderer, frames, frame, pass, pictureOf } = world(still)
      renderer.resize(800, 600, 1)
      renderer.show(pictureOf(['a1 r1 t1']), true)
      frame()
      renderer.show(pictureOf(['a1 r1 t1', 'a2 r2 t1', 'a3 r3 t1']), false)
      frame()
      expect(frames.length).toBe(still ? 0 : 1)
      pass(MOTION_MS)
      frame()
      frame()
      expect(frames).toHaveLength(0)
      expect(renderer.current?.positions).toBe(renderer.current?.placed.positions)
    }
  })
  it('does not set out when nothing has another place: new values are painted once', () => {
    const { renderer, frames, frame, pictureOf } = world()
    renderer.resize(800, 600, 1)
    renderer.show(pictureOf(['a1 r1 t1']), true)
    frame()
    renderer.show(pictureOf(['a1 r1 t1']), false)
    frame()
    expect(frames).toHaveLength(0)
  })
  it('touches only the overlay for what is pointed at', () => {
    const { renderer, base, over, frame, pictureOf } = world()
    const picture = pictureOf(['a1 r1 t1'])
    renderer.resize(800, 600, 1)
    renderer.show(picture, true)
    frame()
    base.clear()
    over.clear()
    const r1 = chosenByKey(picture.view, 'r1')
    renderer.setFocus(r1 ? focusOf(picture.view, [r1], false) : null)
    frame()
    expect(base.calls).toEqual([])
    expect(over.painted()).toBeGreaterThan(0)
  })
  it('draws no more than two pixels for one', () => {
    const { renderer, base } = world()
    renderer.resize(800, 600, 3)
    expect([base.canvas.width, base.canvas.height]).toEqual([1600, 1200])
  })
  it('keeps the view when the same network comes again, and goes home for another layout', () => {
    const { renderer, frame, pictureOf } = world()
    renderer.resize(800, 600, 1)
    renderer.show(pictureOf(['a1 r1 t1']), true)
    frame()
    renderer.zoomBy(2)
    renderer.show(pictureOf(['a1 r1 t1']), false)
    expect(renderer.zoom).toBe(2)
    renderer.show(pictureOf(['a1 r1 t1']), true)
    expect(renderer.zoom).toBe(1)
  })
  it('leaves what is pinned where it is on the page when one looks closer', () => {
    const { renderer, frame, pass, pictureOf } = world()
    const [before, after] = [pictureOf(['a1 r1 t1']), pictureOf(['a1 r1 t1', 'a0 r0 t1', 'a3 r3 t1', 'a4 r4 t1'])]
    renderer.resize(800, 600, 1)
    renderer.show(before, true)
    frame()
    renderer.zoomBy(3)
    const at = (picture: typeof before) => {
      const i = picture.view.index.get('a1') ?? -1
      const { camera, placed } = renderer.current ?? {}
      return [(placed?.positions[i * 2] ?? 0) * (camera?.k ?? 0) + (camera?.x ?? 0), (placed?.positions[i * 2 + 1] ?? 0) * (camera?.k ?? 0) + (camera?.y ?? 0)].map(value => Math.round(value))
    }
    const was = at(before)
    renderer.show(after, false, after.view.index.get('a1'))
    pass(MOTION_MS)
    frame()
    expect(at(after)).toEqual(was)
  })
  it('brings into view what is not, and leaves the view alone otherwise', () => {
    const { renderer, frame, pictureOf } = world()
    const picture = pictureOf(['a1 r1 t1'])
    renderer.resize(800, 600, 1)
    renderer.show(picture, true)
    frame()
    renderer.reveal(picture.view.index.get('a1') ?? -1)
    expect(renderer.current?.camera).toEqual({ k: 1, x: 0, y: 0 })
    renderer.panBy(5000, 0)
    renderer.reveal(picture.view.index.get('a1') ?? -1)
    expect(renderer.pick(400, 300)).toBe(picture.view.index.get('a1'))
    renderer.fit()
    expect(renderer.current?.camera).toEqual({ k: 1, x: 0, y: 0 })
  })
  it('touches only the overlay while a node is in the hand; put down it is there at once', () => {
    const { renderer, base, over, frames, frame, pictureOf } = world()
    const picture = pictureOf(['a1 r1 t1', 'a1 r2 t1'])
    const i = picture.view.index.get('r1') ?? -1
    renderer.resize(800, 600, 1)
    renderer.show(picture, true)
    frame()
    base.clear()
    over.clear()
    renderer.hold('r1', 300, 200)
    frame()
    expect(base.calls).toEqual([])
    expect(over.painted()).toBeGreaterThan(0)
    renderer.hold('r1', 320, 210)
    expect(renderer.put()).toEqual({ x: 0.4, y: 0.35 })
    frame()
    expect(base.painted()).toBeGreaterThan(0)
    expect([renderer.current?.positions[i * 2], renderer.current?.positions[i * 2 + 1]]).toEqual([320, 210])
    // The picture with the pin finds it where it is: nothing sets out.
    const positions = picture.placed.positions.slice()
    positions.set([320, 210], i * 2)
    renderer.show({ ...picture, placed: { ...picture.placed, positions } }, false)
    frame()
    expect(frames).toHaveLength(0)
    expect(renderer.pick(320, 210)).toBe(i)
  })
  it('has a node that was let go where it was, and none that went away in the hand', () => {
    const { renderer, frame, pictureOf } = world()
    const picture = pictureOf(['a1 r1 t1'])
    renderer.resize(800, 600, 1)
    renderer.show(picture, true)
    frame()
    renderer.hold('r1', 10, 10)
    renderer.letGo()
    expect(renderer.current?.positions).toEqual(picture.placed.positions)
    renderer.hold('r1', 10, 10)
    renderer.show(pictureOf(['a1 r2 t1']), false)
    expect([renderer.put(), renderer.holding]).toEqual([null, false])
  })
  it('keeps what is put down in view, and shows everything that was put outside', () => {
    const { renderer, frame, pictureOf } = world()
    const picture = pictureOf(['a1 r1 t1'])
    renderer.resize(800, 600, 1)
    renderer.show(picture, true)
    frame()
    renderer.hold('r1', -500, 9000)
    expect(renderer.put()).toEqual({ x: 10 / 800, y: 590 / 600 })
    renderer.fit()
    expect(renderer.zoom).toBe(1)
    const positions = picture.placed.positions.slice()
    positions.set([2000, 300], (picture.view.index.get('r1') ?? 0) * 2)
    renderer.show({ ...picture, placed: { ...picture.placed, positions }, pinned: Uint8Array.from(picture.view.nodes, node => node.key === 'r1' ? 1 : 0) }, true)
    expect(renderer.zoom).toBeLessThan(0.5)
  })
  it('takes a node only where it is drawn', () => {
    const { renderer, frame, pictureOf } = world()
    const picture = pictureOf(['a1 r1 t1'])
    const i = picture.view.index.get('r1') ?? -1
    renderer.resize(800, 600, 1)
    renderer.show(picture, true)
    frame()
    const { x, y } = renderer.at(i)
    expect([renderer.pick(x + 13.5, y), renderer.grasp(x + 13.5, y), renderer.grasp(x + 5, y)]).toEqual([i, -1, i])
  })
  it('does nothing more after it was stopped', () => {
    const { renderer, frames, timers, pictureOf, frame } = world()
    renderer.resize(800, 600, 1)
    renderer.show(pictureOf(['a1 r1 t1']), true)
    frame()
    renderer.panBy(1, 1)
    frame()
    renderer.panBy(1, 1)
    renderer.stop()
    expect([frames.length, timers.length]).toEqual([0, 0])
  })
})
