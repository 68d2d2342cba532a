// What the painter puts on the canvas, recorded call by call: the chart rules that no look at the data can hold.
import type { Dots, Frame, Picture } from './paint'
import type { ChartEvent } from './paint-events'
import { describe, expect, it } from 'vitest'
import { makeAgent, makeProbe, makeSeries, PING } from '../../tests/mock/data'
import { toColumns } from './columns'
import { paint } from './paint'

interface Call { readonly name: string, readonly args: readonly unknown[], readonly state: Readonly<Record<string, unknown>> }

/** A canvas that remembers. `Path2D` does not exist here, so that paths of the median are counted by their strokes. */
function recorder(): { ctx: CanvasRenderingContext2D, calls: Call[] } {
  const calls: Call[] = []
  const state: Record<string, unknown> = {}
  let dash: unknown = []
  const ctx = new Proxy(state, {
    get: (_, name: string) => name in state ? state[name] : (...args: unknown[]) => {
      if (name === 'setLineDash')
        dash = args[0]
      calls.push({ name, args, state: { ...state, dash } })
      return name === 'measureText' ? { width: String(args[0]).length * 6 } : undefined
    },
    set: (_, name: string, value) => {
      state[name] = value
      return true
    },
  })
  return { ctx: ctx as unknown as CanvasRenderingContext2D, calls }
}
class FakePath {
  readonly points: [number, number][] = []
  moveTo(x: number, y: number) { this.points.push([x, y]) }
  lineTo(x: number, y: number) { this.points.push([x, y]) }
}
globalThis.Path2D = FakePath as never

const LOOK: Picture['look'] = { grades: ['g0', 'g1', 'g2', 'g3', 'g4', 'g5'], series: 'series', smoke: '1 2 3', baseline: 'baseline', accent: 'accent', text: 'text', muted: 'muted', line: 'line', hatch: 'hatch', surface: 'surface', raised: 'raised' }
const T0 = 1_769_212_800
const HOUR = 3600
const FRAME: Frame = { left: 0, top: 0, width: 1440, height: 300, dpr: 1, x: s => (s - T0) / HOUR / 24 * 1440, y: v => 300 - v / 200, yMax: 60_000 }
const columns = toColumns(makeSeries(makeProbe('p1', makeAgent('a1', 'x'), 't'), T0 * 1e6, (T0 + 24 * HOUR) * 1e6, (T0 + 48 * HOUR) * 1e6, { width: 720 }), PING)

function painted(part: Partial<Picture> = {}, frame = FRAME) {
  const { ctx, calls } = recorder()
  paint(ctx, frame, { columns, before: null, events: [], dots: null, look: LOOK, ...part })
  return calls
}
const texts = (calls: readonly Call[]) => calls.filter(call => call.name === 'fillText').map(call => call.args[0])

describe('smoke', () => {
  it('has three bands of the agreed opacity', () => expect(painted().filter(call => call.name === 'fill').map(call => call.state.fillStyle)).toEqual(expect.arrayContaining(['rgb(1 2 3 / 0.13)', 'rgb(1 2 3 / 0.24)', 'rgb(1 2 3 / 0.42)'])))
  it('draws the worst loss class of the median last', () => {
    const order = painted().filter(call => call.name === 'stroke' && call.state.lineWidth === 1.75).map(call => call.state.strokeStyle)
    expect(order[0]).toBe('series')
    expect(order.slice(1)).toEqual([...order.slice(1)].sort())
  })
  it('says what a gap is', () => expect(texts(painted({}, { ...FRAME, width: 8640, x: s => FRAME.x(s) * 6 }))).toEqual(expect.arrayContaining(['no data', 'not measured'])))
  it('marks what is above the axis, and nothing when all of it is below', () => {
    const triangles = (yMax: number) => painted({}, { ...FRAME, yMax }).filter(call => call.name === 'moveTo' && call.args[1] === 1).length
    expect(triangles(30_000)).toBeGreaterThan(0)
    expect(triangles(1e9)).toBe(0)
  })
})

describe('what is usual', () => {
  it('is a band and a dashed mean in the colour of the baseline', () => {
    const calls = painted()
    expect(calls.some(call => call.name === 'fill' && call.state.fillStyle === 'baseline' && call.state.globalAlpha === 0.16)).toBe(true)
    expect(calls.some(call => call.name === 'stroke' && call.state.strokeStyle === 'baseline' && String(call.state.dash) === '7,4')).toBe(true)
  })
  it('breaks where it is not known', () => {
    const known = columns.usual?.mean.filter(value => !Number.isNaN(value)).length ?? 0
    expect(known).toBeGreaterThan(0)
    expect(known).toBeLessThan(columns.count)
    const starts = painted().filter(call => call.name === 'moveTo' && String(call.state.dash) === '7,4')
    expect(starts).toHaveLength(2)
  })
  it('is left out with its data', () => expect(painted({ columns: { ...columns, usual: null } }).some(call => call.state.fillStyle === 'baseline')).toBe(false))
})

describe('events', () => {
  const event = (hour: number, part: Partial<ChartEvent> = {}): ChartEvent => ({ seconds: T0 + hour * HOUR, glyph: '⚙', label: 'configuration', ...part })
  it('are dotted verticals with glyph and word', () => {
    const calls = painted({ events: [event(3)] })
    expect(calls.some(call => call.name === 'lineTo' && call.args[0] === 180 && call.args[1] === 300 && String(call.state.dash) === '2,3')).toBe(true)
    expect(texts(calls)).toContain('⚙ configuration')
  })
  it('shade a span, and say long notes in short', () => {
    const calls = painted({ events: [event(3, { until: T0 + 5 * HOUR, label: 'x'.repeat(80), strong: true })] })
    expect(calls.some(call => call.name === 'fillRect' && call.args[0] === 180 && call.args[2] === 120 && call.state.fillStyle === 'accent')).toBe(true)
    expect(texts(calls).find(text => String(text).includes('xxx'))).toHaveLength(30)
  })
  it('shade a span that began before the range', () => expect(painted({ events: [event(-5, { until: T0 + 2 * HOUR })] }).some(call => call.name === 'fillRect' && call.args[0] === 0 && call.args[2] === 120 && call.state.fillStyle === 'accent')).toBe(true))
  it('leave out words that would overlap, never their lines', () => {
    const calls = painted({ events: [event(3), event(3.1), event(3.2)] })
    expect(texts(calls).filter(text => text === '⚙ configuration')).toHaveLength(1)
    expect(calls.filter(call => call.name === 'lineTo' && call.args[1] === 300 && String(call.state.dash) === '2,3')).toHaveLength(3)
  })
  it('write before the line at the right edge', () => {
    const word = painted({ events: [event(23.9)] }).find(call => call.name === 'fillText' && String(call.args[0]).includes('configuration'))
    expect(Number(word?.args[1])).toBeLessThan(1434 - 50)
  })
})

describe('packets', () => {
  it('are one dot each', () => {
    const dots: Dots = { seconds: [T0 + 60, T0 + 120], values: [[20_000, 21_000], [22_000]] }
    const squares = (given: Dots | null) => painted({ dots: given }).filter(call => call.name === 'fillRect' && call.args[2] === 2 && call.args[3] === 2).length
    expect(squares(dots)).toBe(3)
    expect(squares(null)).toBe(0)
  })
})
