import type { Series } from '@/api/types'
import type { Stretch } from './geometry'
import { describe, expect, it } from 'vitest'
import { COUNTER, makeAgent, makeProbe, makeSeries, PING } from '../../tests/mock/data'
import { Bucket, mergeTail, toColumns } from './columns'
import { bucketAt, cursorKey, fullMax, gaps, NO_PIXEL, robustMax, smallest, stretches, traceBand, worstByPixel } from './geometry'
import { toBars } from './histogram'
import { tickLabels } from './plot'

const NAN = Number.NaN
const T0 = 1_769_212_800_000_000

/** A series of `runs.length` one-minute buckets; `value` of null means that nothing came back. */
function series(runs: number[], values: (number | null)[], part: Partial<Series> = {}): Series {
  const base = makeSeries(makeProbe('p1', makeAgent('a1', 'x'), 't'), T0, T0 + runs.length * 60e6, T0 + 1e12, { stepUs: 60e6 })
  const all = (value: (i: number) => number) => runs.map((_, i) => value(i))
  return {
    ...base, count: runs.length, start_us: all(i => T0 + i * 60e6), runs, outcomes: { ok: runs.map((n, i) => values[i] === null ? 0 : n), lost: runs.map((n, i) => values[i] === null ? n : 0) },
    quantiles: { rtt: { q: base.quantiles.rtt?.q ?? [], values: (base.quantiles.rtt?.q ?? []).map(q => values.map(value => value === null ? null : value * (1 + q))) } },
    metrics: { loss_ratio: values.map((value, i) => runs[i] === 0 ? null : value === null ? 1 : 0) },
    grade: values.map(() => 'excellent' as const), grade_reason: values.map(() => ''), loss_grade: values.map((value, i) => runs[i] === 0 ? 'unknown' as const : value === null ? 'critical' as const : 'excellent' as const), lost_declared: all(() => 0), ...part,
  }
}

describe('what a bucket is', () => {
  it('keeps no data, 100 % loss and not measured apart', () => {
    const columns = toColumns(series([1, 0, 1, 1], [100, null, null, null], { outcomes: { ok: [1, 0, 0, 0], lost: [0, 0, 1, 0], not_measured: [0, 0, 0, 1] } }), PING)
    expect([...columns.state]).toEqual([Bucket.Data, Bucket.None, Bucket.Data, Bucket.NotMeasured])
    expect([...columns.down]).toEqual([0, 0, 1, 0])
  })
  it('tells lost results of the agent from silence', () => expect([...toColumns(series([0, 0], [null, null], { lost_declared: [1, 0] }), PING).state]).toEqual([Bucket.DeclaredLost, Bucket.None]))
  it('does not call the bucket that is still filling a gap', () => {
    const columns = toColumns(series([1, 1, 0], [1, 1, null], { now_us: T0 + 170e6 }), PING)
    expect(columns.state[2]).toBe(Bucket.Pending)
    expect(gaps(columns)).toEqual([])
  })
  it('calls it one when it stays empty', () => expect(toColumns(series([1, 1, 0], [1, 1, null], { now_us: T0 + 600e6 }), PING).state[2]).toBe(Bucket.None))
  it('draws a kind without a distribution as its lines', () => {
    const columns = toColumns(makeSeries(makeProbe('p1', makeAgent('a', 'x'), 't', { kind: 'counter' }), T0, T0 + 36e8, T0 + 72e8, { width: 60 }), COUNTER)
    expect(columns.bands).toEqual([])
    expect(columns.lines.map(line => line.name)).toEqual(['level'])
    expect(columns.unit).toBe('B')
  })
  it('is empty for an empty range', () => {
    const columns = toColumns(series([], []), PING)
    expect(columns.count).toBe(0)
    expect(robustMax(columns)).toBe(1)
    expect(bucketAt(columns, 5)).toBe(-1)
  })
})

function bandPolygon(stretch: Stretch, centre: Float64Array, step: number, lo: Float64Array, hi: Float64Array): [number, number][] {
  const points: [number, number][] = []
  const add = (x: number, y: number) => { points.push([x, y]) }
  traceBand({ moveTo: add, lineTo: add, closePath: () => {} }, { x: s => s, y: v => v }, stretch, centre, step, lo, hi)
  return points
}

describe('bands', () => {
  it('break at every missing value', () => {
    expect(stretches(6, Float64Array.of(1, 2, NAN, 4, NAN, 6))).toEqual([{ first: 0, last: 1 }, { first: 3, last: 3 }, { first: 5, last: 5 }])
    expect(stretches(3, Float64Array.of(1, 2, 3), Float64Array.of(NAN, 2, 3))).toEqual([{ first: 1, last: 2 }])
    expect(stretches(0)).toEqual([])
  })
  it('give a bucket that stands alone the width of its time', () => {
    const polygon = bandPolygon({ first: 0, last: 0 }, Float64Array.of(30), 60, Float64Array.of(5), Float64Array.of(9))
    expect(polygon).toEqual([[0, 9], [30, 9], [60, 9], [60, 5], [30, 5], [0, 5]])
  })
  it('stay between low and high at every corner and close on themselves', () => {
    const lo = Float64Array.of(1, 2, 1.5)
    const hi = Float64Array.of(3, 5, 4)
    const polygon = bandPolygon({ first: 0, last: 2 }, Float64Array.of(30, 90, 150), 60, lo, hi)
    expect(polygon).toHaveLength(10)
    expect(polygon.every(([x, y]) => x >= 0 && x <= 180 && y >= 1 && y <= 5)).toBe(true)
    expect(polygon[0]?.[0]).toBe(polygon.at(-1)?.[0])
  })
})

describe('gaps', () => {
  it('join what is adjacent and alike, and only that', () => {
    const found = gaps({ count: 5, step: 60, start: Float64Array.of(0, 60, 120, 180, 240), state: Uint8Array.of(1, 1, 2, 0, 1) })
    expect(found).toEqual([{ from: 0, to: 120, state: 1 }, { from: 120, to: 180, state: 2 }, { from: 240, to: 300, state: 1 }])
  })
})

describe('strip', () => {
  it('keeps a single bad bucket whatever shares its pixel', () => {
    const classes = new Uint8Array(1000)
    classes[501] = 4
    const pixels = worstByPixel(classes, () => false, i => [i / 10, (i + 1) / 10], 100)
    expect(pixels[50]).toBe(4)
    expect(pixels.filter(value => value === 4)).toHaveLength(1)
  })
  it('gives the narrowest bucket one pixel', () => expect([...worstByPixel(Uint8Array.of(3), () => false, () => [4.2, 4.3], 8)]).toEqual([NO_PIXEL, NO_PIXEL, NO_PIXEL, NO_PIXEL, 3, NO_PIXEL, NO_PIXEL, NO_PIXEL]))
  it('leaves out what is skipped or outside', () => expect([...worstByPixel(Uint8Array.of(1, 2, 3), i => i === 1, i => [[-5, -1], [0, 1], [9, 12]][i] as [number, number], 4)]).toEqual([NO_PIXEL, NO_PIXEL, NO_PIXEL, NO_PIXEL]))
})

describe('y axis', () => {
  it('is not flattened by one outlier, and says how high that was', () => {
    const values = Array.from({ length: 1000 }, () => 20_000 as number | null)
    values[500] = 5_000_000
    const columns = toColumns(series(values.map(() => 1), values), PING)
    expect(robustMax(columns)).toBeLessThan(60_000)
    expect(fullMax(columns)).toBeGreaterThan(5_000_000)
    expect(smallest(columns)).toBe(20_000)
  })
  it('labels all ticks in one unit', () => {
    expect(tickLabels([0, 10_000, 20_000], 'us')).toEqual(['0 ms', '10 ms', '20 ms'])
    expect(tickLabels([0, 250, 500], 'us')).toEqual(['0 µs', '250 µs', '500 µs'])
    expect(tickLabels([0, 1_500_000], 'us')).toEqual(['0 s', '1.5 s'])
    expect(tickLabels([0, 0.5], 'ratio')).toEqual(['0 %', '50 %'])
  })
})

describe('cursor', () => {
  const columns = { count: 3, step: 60, start: Float64Array.of(0, 60, 120) }
  it.each([[-10, 0], [0, 0], [59.9, 0], [60, 1], [1000, 2]])('finds the bucket of second %d', (second, index) => expect(bucketAt(columns, second)).toBe(index))
  it('moves by one, by thirty, to the ends, and never out', () => {
    expect(cursorKey('ArrowRight', false, 5, 100)).toBe(6)
    expect(cursorKey('ArrowLeft', true, 5, 100)).toBe(0)
    expect(cursorKey('ArrowRight', true, 80, 100)).toBe(99)
    expect(cursorKey('Home', false, 5, 100)).toBe(0)
    expect(cursorKey('End', false, 5, 100)).toBe(99)
    expect(cursorKey('a', false, 5, 100)).toBeNull()
    expect(cursorKey('End', false, 0, 0)).toBeNull()
  })
})

describe('tail', () => {
  it('replaces the changed buckets, adds the new, drops what has left the window', () => {
    const base = series([1, 1, 1, 0], [10, 11, 12, null])
    const tail = series([1, 1], [99, 13], { start_us: [T0 + 180e6, T0 + 240e6] })
    const merged = mergeTail(base, tail, T0 + 60e6)
    expect(merged.start_us).toEqual([T0 + 60e6, T0 + 120e6, T0 + 180e6, T0 + 240e6])
    expect(merged.runs).toEqual([1, 1, 1, 1])
    expect(merged.quantiles.rtt?.values[0]).toEqual([11, 12, 99, 13])
    expect(merged.count).toBe(4)
  })
  it('puts late rows into the middle without touching what follows', () => {
    const base = series([1, 0, 1], [10, null, 12])
    const merged = mergeTail(base, series([1], [11], { start_us: [T0 + 60e6] }), T0)
    expect(merged.start_us).toEqual([T0, T0 + 60e6, T0 + 120e6])
    expect(merged.quantiles.rtt?.values[0]).toEqual([10, 11, 12])
  })
  it('takes an outcome that was not there before', () => {
    const merged = mergeTail(series([1], [10]), series([1], [null], { start_us: [T0 + 60e6], outcomes: { refused: [1] } }), T0)
    expect(merged.outcomes.refused).toEqual([0, 1])
    expect(merged.outcomes.ok).toEqual([1, 0])
  })
  it('ignores an answer with another step, and an empty one', () => {
    const base = series([1], [10])
    expect(mergeTail(base, { ...base, step_us: 1e6 }, 0)).toBe(base)
    expect(mergeTail(base, series([], []), 0).start_us).toEqual(base.start_us)
  })
  it('keeps every column as long as there are buckets', () => {
    const merged = mergeTail(series([1, 1], [1, 2]), series([1, 1, 1], [3, 4, 5], { start_us: [T0 + 60e6, T0 + 120e6, T0 + 180e6] }), T0)
    for (const column of [merged.runs, merged.grade, merged.loss_grade, merged.grade_reason, merged.lost_declared, ...Object.values(merged.outcomes), ...Object.values(merged.metrics), ...(merged.quantiles.rtt?.values ?? [])])
      expect(column).toHaveLength(4)
  })
})

describe('histogram', () => {
  it('conserves the number of values', () => {
    const lower = Array.from({ length: 60 }, (_, i) => Math.round(100 * 1.1 ** i))
    const histogram = { lower, upper: lower.map(value => Math.round(value * 1.1)), counts: lower.map((_, i) => i % 7), min: 104, max: lower.at(-1) ?? 0 }
    const total = histogram.counts.reduce((a, b) => a + b, 0)
    const bars = toBars(histogram, 48)
    expect(bars).toHaveLength(48)
    expect(bars.reduce((sum, bar) => sum + bar.count, 0)).toBeCloseTo(total, 6)
  })
  it('is one bar for one value and none for none', () => {
    expect(toBars({ lower: [5], upper: [6], counts: [3], min: 5, max: 5 }, 10).filter(bar => bar.count > 0)).toHaveLength(1)
    expect(toBars({ lower: [], upper: [], counts: [], min: null, max: null }, 10)).toEqual([])
  })
})
