import { describe, expect, it } from 'vitest'
import { addDays, monthName, monthOf, moved, rangeOfDays, weeksOf } from './calendar'

describe('a month', () => {
  it('is whole weeks from Monday to Sunday', () => {
    const weeks = weeksOf({ year: 2026, month: 11 })
    expect(weeks.every(week => week.length === 7)).toBe(true)
    expect(weeks[0]?.map(day => day.number)).toEqual([26, 27, 28, 29, 30, 31, 1])
    expect(weeks.flat().filter(day => day.inMonth)).toHaveLength(30)
    expect(weeks.at(-1)?.at(-1)?.day).toBe('2026-12-06')
  })
  it.each([[2024, 29], [2025, 28], [2000, 29], [2100, 28]])('February %i has %i days', (year, days) => {
    expect(weeksOf({ year, month: 2 }).flat().filter(day => day.inMonth)).toHaveLength(days)
  })
  it('turns the year', () => {
    expect(moved({ year: 2026, month: 12 }, 1)).toEqual({ year: 2027, month: 1 })
    expect(moved({ year: 2026, month: 1 }, -1)).toEqual({ year: 2025, month: 12 })
    expect(monthName(monthOf('2026-01-24'))).toBe('January 2026')
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01')
  })
})

describe('days of a range', () => {
  it('reach to the end of the last one, whichever was picked first', () => {
    const range = { fromMs: Date.UTC(2026, 0, 24), toMs: Date.UTC(2026, 0, 27) }
    expect(rangeOfDays('2026-01-24', '2026-01-26', 'UTC')).toEqual(range)
    expect(rangeOfDays('2026-01-26', '2026-01-24', 'UTC')).toEqual(range)
  })
  it('know days of 23 and 25 hours', () => {
    const hours = (day: string) => {
      const range = rangeOfDays(day, day, 'Europe/Berlin')
      return range && (range.toMs - range.fromMs) / 3_600_000
    }
    expect(hours('2026-03-29')).toBe(23)
    expect(hours('2026-10-25')).toBe(25)
    expect(hours('2026-06-01')).toBe(24)
  })
})
