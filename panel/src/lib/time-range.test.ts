import { describe, expect, it } from 'vitest'
import { absoluteRange, DEFAULT_RANGE, followsNow, fromQuery, inMicroseconds, isExpression, MAX_SPAN_MS, MIN_SPAN_MS, PRESETS, previous, resolve, shift, spanExpression, spokenRange, toQuery, zoom } from './time-range'

const NOW = 1_769_212_800_000
const HOUR = 3_600_000

/** A small deterministic generator: properties are checked on many values, the same ones every time. */
function* chance(seed: number, n: number): Generator<number> {
  let x = seed
  for (let i = 0; i < n; i += 1) {
    x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0
    yield x / 2 ** 32
  }
}

describe('expressions', () => {
  it.each(['now', 'now-1s', 'now-15m', 'now-6h', 'now-90d', 'now-2w', '1769212800000'])('takes %s', text => expect(isExpression(text)).toBe(true))
  it.each(['', 'Now', 'now+1h', 'now-h', 'now-1y', 'now- 1h', 'yesterday', '12', '-1769212800000', '1e12', 'now-9999999s'])('refuses %j', text => expect(isExpression(text)).toBe(false))
  it('is told to the API in whole microseconds, never less than was meant', () => {
    expect(inMicroseconds({ fromMs: NOW - 0.0625, toMs: NOW + 0.0625 })).toEqual({ from: NOW * 1000 - 63, to: NOW * 1000 + 63 })
    expect(inMicroseconds({ fromMs: NOW, toMs: NOW + 1 })).toEqual({ from: NOW * 1000, to: NOW * 1000 + 1000 })
  })
  it('resolves against the clock', () => {
    expect(resolve({ from: 'now-6h', to: 'now' }, NOW)).toEqual({ fromMs: NOW - 6 * HOUR, toMs: NOW })
    expect(resolve({ from: 'now-2w', to: 'now-1w' }, NOW)).toEqual({ fromMs: NOW - 14 * 24 * HOUR, toMs: NOW - 7 * 24 * HOUR })
    expect(resolve({ from: '1769212000000', to: 'now' }, NOW)).toEqual({ fromMs: 1_769_212_000_000, toMs: NOW })
  })
  it('never resolves to an empty or negative span', () => {
    const { fromMs, toMs } = resolve({ from: String(NOW + HOUR), to: 'now' }, NOW)
    expect(toMs - fromMs).toBe(MIN_SPAN_MS)
  })
})

describe('URL', () => {
  it('round-trips every preset', () => {
    for (const preset of PRESETS)
      expect(fromQuery(toQuery(preset.range))).toEqual(preset.range)
  })
  it('round-trips a thousand absolute ranges', () => {
    const numbers = chance(7, 2000)
    for (let i = 0; i < 1000; i += 1) {
      const a = NOW - Math.floor((numbers.next().value ?? 0) * 1e12)
      const b = NOW - Math.floor((numbers.next().value ?? 0) * 1e12)
      const range = absoluteRange(a, b)
      expect(fromQuery(toQuery(range))).toEqual(range)
    }
  })
  it.each([{}, { from: 'now-1h' }, { from: 'x', to: 'now' }, { from: 'now', to: 'now-1h' }, { from: ['now-1h'], to: 'now' }, { from: '1769212800000', to: '1769212800000' }])('falls back as a whole for %j', query => expect(fromQuery(query)).toEqual(DEFAULT_RANGE))
  it('uses the fallback that the page gives', () => expect(fromQuery({}, { from: 'now-24h', to: 'now' }).from).toBe('now-24h'))
})

describe('moving', () => {
  it('goes back by half a span and becomes absolute', () => {
    expect(shift({ from: 'now-2h', to: 'now' }, -1, NOW)).toEqual({ from: String(NOW - 3 * HOUR), to: String(NOW - HOUR) })
  })
  it('becomes live again when it reaches now', () => {
    const back = shift({ from: 'now-2h', to: 'now' }, -1, NOW)
    expect(shift(back, 1, NOW)).toEqual({ from: 'now-2h', to: 'now' })
  })
  it('keeps its span when shifted, wherever it is', () => {
    const range = absoluteRange(NOW - 50 * HOUR, NOW - 40 * HOUR)
    const moved = resolve(shift(range, 1, NOW), NOW)
    expect(moved.toMs - moved.fromMs).toBe(10 * HOUR)
  })
  it('zooms a live range without letting go of now', () => {
    expect(zoom({ from: 'now-1h', to: 'now' }, 2, NOW)).toEqual({ from: 'now-2h', to: 'now' })
    expect(followsNow(zoom({ from: 'now-1h', to: 'now' }, 0.5, NOW))).toBe(true)
  })
  it('keeps the moment under the pointer in its place', () => {
    const range = absoluteRange(NOW - 10 * HOUR, NOW)
    const next = resolve(zoom(range, 0.5, NOW, NOW - 2 * HOUR), NOW)
    expect((NOW - 2 * HOUR - next.fromMs) / (next.toMs - next.fromMs)).toBeCloseTo(0.8, 6)
  })
  it('stays between the shortest and the longest span', () => {
    let range = absoluteRange(NOW - HOUR, NOW)
    for (let i = 0; i < 40; i += 1)
      range = zoom(range, 0.5, NOW, NOW - HOUR / 2)
    expect(Number(range.to) - Number(range.from)).toBeGreaterThanOrEqual(MIN_SPAN_MS)
    for (let i = 0; i < 60; i += 1)
      range = zoom(range, 2, NOW, NOW)
    expect(Number(range.to) - Number(range.from)).toBeLessThanOrEqual(MAX_SPAN_MS)
  })
  it('orders the ends of a drag to the left', () => expect(absoluteRange(NOW, NOW - HOUR)).toEqual({ from: String(NOW - HOUR), to: String(NOW) }))
  it('compares with the period just before', () => expect(previous({ fromMs: NOW - HOUR, toMs: NOW })).toEqual({ fromMs: NOW - 2 * HOUR, toMs: NOW - HOUR }))
  it.each([[HOUR, '1h'], [90 * 60_000, '90m'], [86_400_000, '1d'], [61_000, '61s'], [200, '1s']])('says %d ms as %s', (ms, text) => expect(spanExpression(ms)).toBe(text))
})

describe('spoken ranges', () => {
  it.each([['6h', 'now-6h'], ['last 3 days', 'now-3d'], ['Last 15 min', 'now-15m'], ['2 weeks', 'now-2w'], ['90 seconds', 'now-90s'], ['now-2d', 'now-2d']])('%s is %s', (text, from) => expect(spokenRange(text)).toEqual({ from, to: 'now' }))
  it.each(['', 'now', 'agents', '6', '0h', 'h6', '3 years', 'last days'])('%j is none', text => expect(spokenRange(text)).toBeNull())
})
