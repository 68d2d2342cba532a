// Numbers as people read them. A missing value is a dash, never a zero.

export const DASH = '–'

export interface Scaled {
  readonly value: string
  readonly unit: string
}

/** Three significant digits, no exponent, no trailing zeros beyond what the digits say. */
function digits(value: number): string {
  const size = Math.abs(value)
  if (size >= 100 || size === 0)
    return value.toFixed(0)
  return size >= 10 ? value.toFixed(1) : value.toFixed(2)
}

export function duration(us: number | null | undefined): Scaled {
  if (us === null || us === undefined || Number.isNaN(us))
    return { value: DASH, unit: '' }
  const size = Math.abs(us)
  // The limits lie where three digits would round up into the next unit.
  if (size < 999.5)
    return { value: digits(us), unit: 'µs' }
  if (size < 999_500)
    return { value: digits(us / 1e3), unit: 'ms' }
  if (size < 119_500_000)
    return { value: digits(us / 1e6), unit: 's' }
  if (size < 7_170_000_000)
    return { value: digits(us / 6e7), unit: 'min' }
  return { value: digits(us / 3.6e9), unit: 'h' }
}

/** Milliseconds without their unit, for columns that name it once. */
export function milliseconds(us: number | null | undefined): string {
  if (us === null || us === undefined || Number.isNaN(us))
    return DASH
  const ms = us / 1000
  const size = Math.abs(ms)
  return ms.toFixed(size === 0 ? 0 : size < 0.0995 ? 3 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0)
}

/** A ratio in [0, 1] as percent. What is not zero never reads as "0 %", what is not everything never as "100 %". */
export function percent(ratio: number | null | undefined): Scaled {
  if (ratio === null || ratio === undefined || Number.isNaN(ratio))
    return { value: DASH, unit: '' }
  const value = ratio * 100
  if (value === 0 || value === 100)
    return { value: value.toFixed(0), unit: '%' }
  if (value > 0 && value < 0.01)
    return { value: '< 0.01', unit: '%' }
  if (value > 99.99 && value < 100)
    return { value: '> 99.99', unit: '%' }
  const text = value < 10 || value > 99 ? value.toFixed(2) : value.toFixed(1)
  return { value: text.replace(/\.?0+$/, ''), unit: '%' }
}

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 })

export function count(value: number | null | undefined): string {
  return value === null || value === undefined || Number.isNaN(value) ? DASH : grouped.format(value)
}

export function bytes(value: number | null | undefined): Scaled {
  if (value === null || value === undefined || Number.isNaN(value))
    return { value: DASH, unit: '' }
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let scaled = value
  let index = 0
  while (Math.abs(scaled) >= 999.5 && index < units.length - 1) {
    scaled /= 1000
    index += 1
  }
  return { value: index === 0 ? scaled.toFixed(0) : digits(scaled), unit: units[index] ?? '' }
}

/** A value of a declared metric or column, by the unit of the declaration. */
export function byUnit(value: number | null | undefined, unit: string): Scaled {
  switch (unit) {
    case 'us': return duration(value)
    case 'ms': return duration(value === null || value === undefined ? value : value * 1000)
    case 'ratio': return percent(value)
    case 'B': return bytes(value)
    default: return { value: count(value), unit: value === null || value === undefined ? '' : unit }
  }
}

export function joined({ value, unit }: Scaled): string {
  return unit === '' ? value : `${value} ${unit}`
}

export const unitText = (value: number | null | undefined, unit: string): string => joined(byUnit(value, unit))

/** "12 s ago", "in 5 min"; anything under two seconds is "now". */
export function relative(ms: number, nowMs: number): string {
  const seconds = Math.round((nowMs - ms) / 1000)
  const size = Math.abs(seconds)
  if (size < 2)
    return 'now'
  const text = span(size * 1000)
  return seconds > 0 ? `${text} ago` : `in ${text}`
}

/** A length of time in its largest unit. */
export function span(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 120)
    return `${seconds} s`
  if (seconds < 7200)
    return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800)
    return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

/** "+5.3 σ": by how many standard deviations. */
export function sigmas(deviation: number): string {
  const size = Math.abs(deviation)
  return `${deviation < 0 ? '−' : '+'}${size >= 100 ? Math.round(size) : size.toFixed(1)} σ`
}

/** "5 % · 1 of 20": a share always with its counts. */
export function share(part: number, whole: number): string {
  if (whole === 0)
    return DASH
  return `${joined(percent(part / whole))} · ${count(part)} of ${count(whole)}`
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}
