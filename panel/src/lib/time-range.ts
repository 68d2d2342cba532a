// A time range as it stands in the URL: two expressions, `now`, `now-6h` or an absolute time in epoch milliseconds.
// The URL is the only state of the time picker; everything here is a pure function of expressions and a clock.

export interface TimeRange {
  readonly from: string
  readonly to: string
}

export interface ResolvedRange {
  readonly fromMs: number
  readonly toMs: number
}

export interface Preset {
  readonly id: string
  readonly label: string
  readonly short: string
  readonly range: TimeRange
}

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
type Unit = keyof typeof UNIT_MS

export const MIN_SPAN_MS = 10_000
export const MAX_SPAN_MS = 5 * 366 * UNIT_MS.d

function preset(span: string, label: string): Preset {
  return { id: span, label: `Last ${label}`, short: span.replace(/(\d+)(\w)/, '$1 $2'), range: { from: `now-${span}`, to: 'now' } }
}

export const PRESETS: readonly Preset[] = [
  preset('15m', '15 minutes'),
  preset('1h', 'hour'),
  preset('3h', '3 hours'),
  preset('6h', '6 hours'),
  preset('24h', '24 hours'),
  preset('2d', '2 days'),
  preset('7d', '7 days'),
  preset('30d', '30 days'),
  preset('90d', '90 days'),
]

export const DEFAULT_RANGE: TimeRange = { from: 'now-1h', to: 'now' }

const RELATIVE = /^now(?:-(\d{1,6})([smhdw]))?$/
const EPOCH_MS = /^\d{10,14}$/

/** Milliseconds before now, or null when the expression is not a relative one. */
function relativeMs(expression: string): number | null {
  const match = RELATIVE.exec(expression)
  if (!match)
    return null
  return match[1] === undefined ? 0 : Number(match[1]) * UNIT_MS[match[2] as Unit]
}

export function isExpression(text: string): boolean {
  return relativeMs(text) !== null || EPOCH_MS.test(text)
}

export function resolveExpression(expression: string, nowMs: number): number {
  const back = relativeMs(expression)
  return back === null ? Number(expression) : nowMs - back
}

export function resolve(range: TimeRange, nowMs: number): ResolvedRange {
  const toMs = resolveExpression(range.to, nowMs)
  const fromMs = resolveExpression(range.from, nowMs)
  return { fromMs: Math.min(fromMs, toMs - MIN_SPAN_MS), toMs }
}

/** As the API takes it: whole microseconds, and nothing of the range left out. */
export function inMicroseconds({ fromMs, toMs }: ResolvedRange): { from: number, to: number } {
  return { from: Math.floor(fromMs * 1000), to: Math.ceil(toMs * 1000) }
}

/** A range that ends now moves with the clock. */
export function followsNow(range: TimeRange): boolean {
  return range.to === 'now'
}

type Query = Readonly<Record<string, unknown>>

/** The range of a URL query; what is missing or malformed falls back as a whole, never half. */
export function fromQuery(query: Query, fallback: TimeRange = DEFAULT_RANGE): TimeRange {
  const { from, to } = query
  if (typeof from !== 'string' || typeof to !== 'string' || !isExpression(from) || !isExpression(to))
    return fallback
  const probe = 2 ** 43 // any clock will do to compare two relative expressions
  const mixed = EPOCH_MS.test(from) !== EPOCH_MS.test(to)
  if (!mixed && resolveExpression(from, probe) >= resolveExpression(to, probe))
    return fallback
  return { from, to }
}

export function toQuery(range: TimeRange): Record<'from' | 'to', string> {
  return { from: range.from, to: range.to }
}

export function sameRange(a: TimeRange, b: TimeRange): boolean {
  return a.from === b.from && a.to === b.to
}

function absolute(fromMs: number, toMs: number): TimeRange {
  return { from: String(Math.round(fromMs)), to: String(Math.round(toMs)) }
}

export function absoluteRange(fromMs: number, toMs: number): TimeRange {
  const [a, b] = fromMs <= toMs ? [fromMs, toMs] : [toMs, fromMs]
  const centre = (a + b) / 2
  const half = Math.min(Math.max(b - a, MIN_SPAN_MS), MAX_SPAN_MS) / 2
  return absolute(centre - half, centre + half)
}

/** Half a span earlier (-1) or later (1); a range that would reach now becomes live again. */
export function shift(range: TimeRange, direction: -1 | 1, nowMs: number): TimeRange {
  const { fromMs, toMs } = resolve(range, nowMs)
  const step = direction * (toMs - fromMs) / 2
  if (toMs + step >= nowMs)
    return { from: `now-${spanExpression(toMs - fromMs)}`, to: 'now' }
  return absolute(fromMs + step, toMs + step)
}

/** factor > 1 shows more time. A range that follows now keeps doing so. */
export function zoom(range: TimeRange, factor: number, nowMs: number, centreMs?: number): TimeRange {
  const { fromMs, toMs } = resolve(range, nowMs)
  const span = Math.min(Math.max((toMs - fromMs) * factor, MIN_SPAN_MS), MAX_SPAN_MS)
  if (followsNow(range) && centreMs === undefined)
    return { from: `now-${spanExpression(span)}`, to: 'now' }
  const centre = centreMs ?? (fromMs + toMs) / 2
  const share = (centre - fromMs) / (toMs - fromMs)
  return absolute(centre - span * share, centre + span * (1 - share))
}

/** The span in the largest unit that expresses it to the second. */
export function spanExpression(spanMs: number): string {
  const seconds = Math.max(1, Math.round(spanMs / 1000))
  for (const unit of ['d', 'h', 'm'] as const)
    if (seconds * 1000 % UNIT_MS[unit] === 0)
      return `${seconds * 1000 / UNIT_MS[unit]}${unit}`
  return `${seconds}s`
}

/** The period of the same length just before. */
export function previous(range: ResolvedRange): ResolvedRange {
  return { fromMs: 2 * range.fromMs - range.toMs, toMs: range.fromMs }
}

const SPOKEN = /^(?:last\s+)?(\d{1,5})\s*(s|sec|second|m|min|minute|h|hour|d|day|w|week)s?$/i

/** "6h", "last 3 days" or "now-2w" as the range that reaches until now; null when it is none. */
export function spokenRange(text: string): TimeRange | null {
  const trimmed = text.trim().toLowerCase()
  if (relativeMs(trimmed) !== null && trimmed !== 'now')
    return { from: trimmed, to: 'now' }
  const match = SPOKEN.exec(trimmed)
  if (!match || Number(match[1]) === 0)
    return null
  return { from: `now-${match[1]}${(match[2] ?? '')[0]}`, to: 'now' }
}
