// Months as a grid of days, and the days of a range; local days of a zone are compared as text ("2026-01-24").
import { formatDay, parseLocal } from './zone'

export interface Month {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
}

export interface Day {
  readonly day: string
  readonly number: number
  readonly inMonth: boolean
}

const two = (value: number) => String(value).padStart(2, '0')

export function monthOf(day: string): Month {
  return { year: Number(day.slice(0, 4)), month: Number(day.slice(5, 7)) }
}

export function moved({ year, month }: Month, by: number): Month {
  const index = year * 12 + month - 1 + by
  return { year: Math.floor(index / 12), month: ((index % 12) + 12) % 12 + 1 }
}

export function monthName({ year, month }: Month): string {
  return new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(Date.UTC(year, month - 1, 1))
}

/** The day `by` days later. */
export function addDays(day: string, by: number): string {
  const at = new Date(`${day}T00:00:00Z`)
  at.setUTCDate(at.getUTCDate() + by)
  return at.toISOString().slice(0, 10)
}

/** Weeks from Monday to Sunday that cover the month. */
export function weeksOf({ year, month }: Month): Day[][] {
  const first = `${year}-${two(month)}-01`
  const weekday = (new Date(`${first}T00:00:00Z`).getUTCDay() + 6) % 7
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate()
  const weeks: Day[][] = []
  for (let at = -weekday; at < days; at += 7)
    weeks.push(Array.from({ length: 7 }, (_, i) => {
      const day = addDays(first, at + i)
      return { day, number: Number(day.slice(8)), inMonth: monthOf(day).month === month }
    }))
  return weeks
}

/** From the beginning of the earlier day to the end of the later one, in the zone; a day of a time change is 23 or 25 h long. */
export function rangeOfDays(a: string, b: string, zone: string): { fromMs: number, toMs: number } | null {
  const [first, last] = a <= b ? [a, b] : [b, a]
  const fromMs = parseLocal(first, zone)
  const toMs = parseLocal(addDays(last, 1), zone)
  return fromMs === null || toMs === null ? null : { fromMs, toMs }
}

export function dayOf(ms: number, zone: string): string {
  return formatDay(ms, zone)
}
