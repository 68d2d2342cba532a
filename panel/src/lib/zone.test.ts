import { describe, expect, it } from 'vitest'
import { formatClock, formatLocal, isZone, offsetMs, parseLocal, partsOf, zoneLabel } from './zone'

const MAD = 'Europe/Madrid'

describe('times in a zone', () => {
  it('formats and parses back in every zone', () => {
    for (const zone of ['UTC', MAD, 'America/Vancouver', 'Asia/Kolkata', 'Pacific/Chatham'])
      for (let ms = Date.UTC(2026, 0, 1); ms < Date.UTC(2026, 11, 31); ms += 37 * 3_600_000 + 60_000) {
        const text = formatLocal(ms, zone, true)
        const parsed = parseLocal(text, zone) ?? 0
        // The repeated hour of autumn has one text for two moments.
        expect(formatLocal(parsed, zone, true)).toBe(text)
        expect(Math.abs(parsed - ms) % 3_600_000).toBe(0)
      }
  })
  it('knows the offset of summer and winter', () => {
    expect(offsetMs(Date.UTC(2026, 0, 1), MAD)).toBe(3_600_000)
    expect(offsetMs(Date.UTC(2026, 6, 1), MAD)).toBe(7_200_000)
  })
  it('takes the first of a repeated hour', () => expect(parseLocal('2026-10-25 02:30', MAD)).toBe(Date.UTC(2026, 9, 25, 0, 30)))
  it('goes forward over a skipped hour', () => {
    const ms = parseLocal('2026-03-29 02:30', MAD) ?? 0
    expect(formatLocal(ms, MAD)).toBe('2026-03-29 03:30')
  })
  it.each(['2026-13-01', '2026-02-30', '2026-1-1', 'tomorrow', '2026-01-01 25:00', '2026-01-01 10:61', ''])('refuses %j', text => expect(parseLocal(text, 'UTC')).toBeNull())
  it('takes a day as its beginning', () => expect(parseLocal('2026-01-24', 'UTC')).toBe(Date.UTC(2026, 0, 24)))
  it('writes midnight as 00', () => expect(formatClock(Date.UTC(2026, 0, 1), 'UTC', true)).toBe('00:00:00'))
  it('takes a moment apart', () => expect(partsOf(Date.UTC(2026, 4, 6, 7, 8, 9), 'UTC')).toEqual({ year: 2026, month: 5, day: 6, hour: 7, minute: 8, second: 9 }))
  it('names zones', () => {
    expect(zoneLabel(0, 'UTC')).toBe('UTC')
    expect(isZone('Europe/Berlin')).toBe(true)
    expect(isZone('Europe/Atlantis')).toBe(false)
  })
})
