// Times in a named zone with nothing but Intl: format, take apart, and put together again from text.

const partsCache = new Map<string, Intl.DateTimeFormat>()

function formatter(zone: string): Intl.DateTimeFormat {
  let found = partsCache.get(zone)
  if (!found) {
    found = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone, hourCycle: 'h23',
      year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
    })
    partsCache.set(zone, found)
  }
  return found
}

export interface Parts {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

export function partsOf(ms: number, zone: string): Parts {
  const parts = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 }
  for (const { type, value } of formatter(zone).formatToParts(ms))
    if (type in parts)
      parts[type as keyof typeof parts] = Number(value)
  return parts
}

/** What to add to UTC at that moment, in milliseconds. */
export function offsetMs(ms: number, zone: string): number {
  const p = partsOf(ms, zone)
  return Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) - Math.floor(ms / 1000) * 1000
}

const LOCAL = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2}))?)?$/

/** A local time such as `2026-01-24 14:00` of a zone; null when it is not one. In the hour that a switch to
 *  winter time repeats, the first of the two is meant; in the one that is skipped, the time after. */
export function parseLocal(text: string, zone: string): number | null {
  const match = LOCAL.exec(text.trim())
  if (!match)
    return null
  const [year, month, day, hour, minute, second] = match.slice(1).map(part => Number(part ?? 0)) as [number, number, number, number, number, number]
  if (month < 1 || month > 12 || day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate() || hour > 23 || minute > 59 || second > 59)
    return null
  const wall = Date.UTC(year, month - 1, day, hour, minute, second)
  // The offset is that of the result, which is not known yet: two candidates from a day before and after.
  const candidates = [offsetMs(wall - 86_400_000, zone), offsetMs(wall + 86_400_000, zone)].map(offset => wall - offset)
  const exact = candidates.filter(ms => ms + offsetMs(ms, zone) === wall)
  return exact.length > 0 ? Math.min(...exact) : Math.max(...candidates)
}

const two = (value: number) => String(value).padStart(2, '0')

export function formatLocal(ms: number, zone: string, withSeconds = false): string {
  const p = partsOf(ms, zone)
  return `${p.year}-${two(p.month)}-${two(p.day)} ${two(p.hour)}:${two(p.minute)}${withSeconds ? `:${two(p.second)}` : ''}`
}

export function formatDay(ms: number, zone: string): string {
  const p = partsOf(ms, zone)
  return `${p.year}-${two(p.month)}-${two(p.day)}`
}

export function formatClock(ms: number, zone: string, withSeconds = false): string {
  const p = partsOf(ms, zone)
  return `${two(p.hour)}:${two(p.minute)}${withSeconds ? `:${two(p.second)}` : ''}`
}

/** A short name such as `UTC` or `GMT+2`. */
export function zoneLabel(ms: number, zone: string): string {
  if (zone === 'UTC' || zone === 'Etc/UTC')
    return 'UTC'
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'short' }).formatToParts(ms)
  return parts.find(part => part.type === 'timeZoneName')?.value ?? zone
}

export function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  }
  catch {
    return false
  }
}
