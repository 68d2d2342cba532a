// Lengths of time as they are typed and shown in settings: exact, in the largest unit without a fraction.

const DURATION = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)?$/i
const DURATION_MS = { ms: 1, s: 1000, min: 60_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** "60 s", "1.5 min" or "500" (milliseconds) as milliseconds; null when it is none. */
export function parseDuration(text: string): number | null {
  const match = DURATION.exec(text.trim())
  if (!match)
    return null
  const unit = (match[2] ?? 'ms').toLowerCase() as keyof typeof DURATION_MS
  const ms = Number(match[1]) * DURATION_MS[unit]
  return Number.isInteger(ms) ? ms : null
}

/** In the largest unit that needs no fraction. */
export function durationText(ms: number): string {
  for (const [unit, size] of [['h', 3_600_000], ['min', 60_000], ['s', 1000]] as const)
    if (ms >= size && ms % size === 0 && !(unit === 'min' && ms < 120_000) && !(unit === 'h' && ms < 7_200_000))
      return `${ms / size} ${unit}`
  return `${ms} ms`
}
