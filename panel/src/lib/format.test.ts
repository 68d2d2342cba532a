import { describe, expect, it } from 'vitest'
import { durationText, parseDuration } from './duration'
import { bytes, byUnit, count, DASH, duration, joined, percent, plural, relative, share, span, unitText, milliseconds } from './format'

describe('durations', () => {
  it.each([[0, '0 µs'], [7.25, '7.25 µs'], [412, '412 µs'], [999.4, '999 µs'], [999.6, '1.00 ms'], [23_456, '23.5 ms'], [999_499, '999 ms'], [999_500, '1.00 s'], [61e6, '61.0 s'], [119.6e6, '1.99 min'], [-1500, '-1.50 ms']])('shows %d µs as %s', (us, text) => expect(joined(duration(us))).toBe(text))
  it.each([null, undefined, Number.NaN])('shows %s as a dash, not a zero', value => expect(joined(duration(value))).toBe(DASH))
})

describe('shares', () => {
  it.each([[0, '0 %'], [0.05, '5 %'], [0.0149, '1.49 %'], [0.125, '12.5 %'], [1, '100 %'], [0.00001, '< 0.01 %'], [0.99999, '> 99.99 %'], [0.9995, '99.95 %']])('shows %d as %s', (ratio, text) => expect(joined(percent(ratio))).toBe(text))
  it('never rounds something to nothing or to all', () => {
    for (let i = 1; i < 2000; i += 1) {
      expect(joined(percent(i / 1e7))).not.toBe('0 %')
      expect(joined(percent(1 - i / 1e7))).not.toBe('100 %')
    }
  })
  it('gives the counts with the share', () => {
    expect(share(1, 20)).toBe('5 % · 1 of 20')
    expect(share(0, 0)).toBe(DASH)
  })
})

describe('the rest', () => {
  it.each([[0, '0 B'], [999, '999 B'], [1000, '1.00 kB'], [14_200_000, '14.2 MB'], [999_600, '1.00 MB']])('shows %d bytes as %s', (value, text) => expect(joined(bytes(value))).toBe(text))
  it('goes by the declared unit', () => {
    expect(unitText(2000, 'ms')).toBe('2.00 s')
    expect(unitText(0.5, 'ratio')).toBe('50 %')
    expect(unitText(12, 'packets')).toBe('12 packets')
    expect(unitText(null, 'packets')).toBe(DASH)
    expect(byUnit(64, '')).toEqual({ value: '64', unit: '' })
  })
  it('groups large counts', () => expect(count(27_360)).toBe('27,360'))
  it('counts things', () => {
    expect(plural(1, 'probe')).toBe('1 probe')
    expect(plural(1200, 'probe')).toBe('1,200 probes')
  })
  it.each([[0, 'now'], [1400, 'now'], [12_000, '12 s ago'], [-90_000, 'in 90 s'], [3_600_000, '60 min ago'], [3 * 86_400_000, '3 d ago']])('says %d ms back as %s', (ms, text) => expect(relative(1e12 - ms, 1e12)).toBe(text))
  it.each([[500, '1 s'], [119_000, '119 s'], [120_000, '2 min'], [7_200_000, '2 h']])('says a span of %d ms as %s', (ms, text) => expect(span(ms)).toBe(text))
})

describe('durations of settings', () => {
  it.each([['60 s', 60_000], ['500', 500], ['500ms', 500], ['1.5 min', 90_000], ['2h', 7_200_000], ['1 D', 86_400_000]])('reads %s', (text, ms) => expect(parseDuration(text)).toBe(ms))
  it.each(['', 's', '1 week', '-5 s', '1.5 ms', '1,5 s', 'Infinity'])('refuses %j', text => expect(parseDuration(text)).toBeNull())
  it('writes what it reads', () => {
    for (const ms of [1, 10, 999, 1000, 1500, 60_000, 90_000, 120_000, 7_200_000, 86_400_000, 12_345])
      expect(parseDuration(durationText(ms))).toBe(ms)
  })
  it('milliseconds without their unit, three digits and never a false zero', () => {
    expect([0, 4, 42, 421, 9994, 42_120, 421_200].map(milliseconds)).toEqual(['0', '0.004', '0.042', '0.42', '9.99', '42.1', '421'])
    expect([milliseconds(null), milliseconds(undefined)]).toEqual(['–', '–'])
  })
})
