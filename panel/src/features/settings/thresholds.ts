// Thresholds as fields: loss in percent, times in milliseconds; back to the API's units on saving.
import type { Thresholds } from '@/api/types'

export const STEPS = ['good', 'fair', 'poor', 'critical'] as const
export const AREAS = [
  { key: 'loss_ratio', label: 'Loss', unit: '%', factor: 100 },
  { key: 'latency_us', label: 'Latency (median)', unit: 'ms', factor: 1 / 1000 },
  { key: 'jitter_us', label: 'Jitter', unit: 'ms', factor: 1 / 1000 },
] as const

export type ThresholdDraft = Record<typeof AREAS[number]['key'], Record<typeof STEPS[number], string>>

const rounded = (value: number) => String(Number(value.toPrecision(10)))

export function toDraft(thresholds: Thresholds): ThresholdDraft {
  return Object.fromEntries(AREAS.map(area => [area.key, Object.fromEntries(STEPS.map(step => [step, rounded(thresholds[area.key][step] * area.factor)]))])) as ThresholdDraft
}

export function fromDraft(draft: ThresholdDraft): Thresholds {
  return Object.fromEntries(AREAS.map(area => [area.key, Object.fromEntries(STEPS.map(step => [step, Number(rounded(Number(draft[area.key][step]) / area.factor))]))])) as unknown as Thresholds
}

/** What is wrong with a row, or nothing: numbers, not negative, each at least the one before. */
export function rowProblem(row: Record<typeof STEPS[number], string>): string | undefined {
  const values = STEPS.map(step => row[step].trim() === '' ? Number.NaN : Number(row[step]))
  if (values.some(value => !Number.isFinite(value) || value < 0))
    return 'Must be numbers, not negative'
  return values.some((value, i) => i > 0 && value < (values[i - 1] ?? 0)) ? 'Must rise from good to critical' : undefined
}

const RETENTION_ORDER = ['raw_days', 'five_minute_days', 'hour_days']

/** What is wrong with one of the retention fields: whole days, and what is coarser is kept at least as long. */
export function daysProblem(fields: Readonly<Record<string, string>>, key: string): string | undefined {
  const days = (name: string | undefined) => /^\d{1,5}$/.test((fields[name ?? ''] ?? '').trim()) ? Number(fields[name ?? '']) : Number.NaN
  const own = days(key)
  if (!(own >= 1 && own <= 36_500))
    return 'Must be 1 to 36,500 days'
  const finer = days(RETENTION_ORDER[RETENTION_ORDER.indexOf(key) - 1])
  return finer > own ? 'Must not be shorter than what is finer' : undefined
}
