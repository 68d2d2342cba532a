// Geometry of the charts, free of canvas and framework: which buckets hang together, what is hatched, the worst
// bucket of each pixel column, and a y axis that a single outlier cannot flatten.
import type { BucketState, Columns } from './columns'
import { Bucket } from './columns'

export interface Stretch {
  readonly first: number
  readonly last: number
}

/** Stretches of buckets in which all the given columns have a value. */
export function stretches(count: number, ...columns: readonly Float64Array[]): Stretch[] {
  const found: Stretch[] = []
  let first = -1
  for (let i = 0; i <= count; i += 1) {
    let there = i < count
    for (let k = 0; there && k < columns.length; k += 1) {
      const value = columns[k]?.[i] ?? Number.NaN
      there = value === value // not NaN, in the innermost loop of every redraw
    }
    if (there && first < 0)
      first = i
    if (!there && first >= 0) {
      found.push({ first, last: i - 1 })
      first = -1
    }
  }
  return found
}

/** What a path of a canvas can do, as far as it is needed here. */
export interface PathSink {
  readonly moveTo: (x: number, y: number) => void
  readonly lineTo: (x: number, y: number) => void
  readonly closePath: () => void
}

export interface Projection {
  readonly x: (seconds: number) => number
  readonly y: (value: number) => number
}

/**
 * The band over one stretch: along the top, back along the bottom. The ends reach half a bucket further, so that a bucket
 * that stands alone is a visible block as wide as the time it speaks for.
 */
export function traceBand(path: PathSink, { x, y }: Projection, { first, last }: Stretch, centre: Float64Array, step: number, lo: Float64Array, hi: Float64Array): void {
  const at = (column: Float64Array, i: number) => column[i] ?? Number.NaN
  const left = x(at(centre, first) - step / 2)
  const right = x(at(centre, last) + step / 2)
  path.moveTo(left, y(at(hi, first)))
  for (let i = first; i <= last; i += 1)
    path.lineTo(x(at(centre, i)), y(at(hi, i)))
  path.lineTo(right, y(at(hi, last)))
  path.lineTo(right, y(at(lo, last)))
  for (let i = last; i >= first; i -= 1)
    path.lineTo(x(at(centre, i)), y(at(lo, i)))
  path.lineTo(left, y(at(lo, first)))
  path.closePath()
}

export interface Gap {
  readonly from: number
  readonly to: number
  readonly state: BucketState
}

/** Stretches of time without a statement about the target, by kind; a bucket that is still pending is none. */
export function gaps(columns: Pick<Columns, 'count' | 'start' | 'step' | 'state'>): Gap[] {
  const found: Gap[] = []
  for (let i = 0; i < columns.count; i += 1) {
    const state = (columns.state[i] ?? 0) as BucketState
    if (state === Bucket.Data || state === Bucket.Pending)
      continue
    const from = columns.start[i] ?? 0
    const before = found.at(-1)
    if (before && before.state === state && Math.abs(before.to - from) < 1e-6)
      found[found.length - 1] = { ...before, to: from + columns.step }
    else
      found.push({ from, to: from + columns.step, state })
  }
  return found
}

export const NO_PIXEL = 255

/**
 * For each of `width` pixel columns the worst (largest) class of the buckets that touch it; NO_PIXEL where none does.
 * A single bad bucket keeps its pixel however many good ones share it.
 */
export function worstByPixel(classes: Uint8Array, skip: (index: number) => boolean, edges: (index: number) => [number, number], width: number): Uint8Array {
  const out = new Uint8Array(width).fill(NO_PIXEL)
  for (let i = 0; i < classes.length; i += 1) {
    if (skip(i))
      continue
    const [left, right] = edges(i)
    const a = Math.max(0, Math.floor(left))
    const b = Math.min(width, Math.max(Math.floor(left) + 1, Math.round(right)))
    const value = classes[i] ?? 0
    for (let k = a; k < b; k += 1) {
      const present = out[k] ?? NO_PIXEL
      if (present === NO_PIXEL || value > present)
        out[k] = value
    }
  }
  return out
}

function finite(...columns: readonly (Float64Array | undefined)[]): number[] {
  const out: number[] = []
  for (const column of columns)
    column?.forEach((value) => { if (Number.isFinite(value)) out.push(value) })
  return out.sort((a, b) => a - b)
}

/** Top of the y axis: p99.5 of the p90 band (or of the lines) x 1.12; what lies above is marked, not cut off silently. */
export function robustMax(columns: Columns): number {
  const sorted = finite(columns.bands[1]?.hi, ...columns.lines.map(line => line.values))
  if (sorted.length === 0)
    return 1
  const at = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.995))] ?? 0
  return at > 0 ? at * 1.12 : 1
}

export function fullMax(columns: Columns): number {
  const sorted = finite(columns.bands[0]?.hi, ...columns.lines.map(line => line.values))
  const top = sorted.at(-1) ?? 0
  return top > 0 ? top * 1.05 : 1
}

export function smallest(columns: Columns): number {
  const sorted = finite(columns.bands[0]?.lo, ...columns.lines.map(line => line.values))
  return sorted.find(value => value > 0) ?? 1
}

/** Seconds moved so that the range keeps its length and its end does not pass `latest`. */
export function panned(from: number, to: number, by: number, latest: number): [number, number] {
  const shift = Math.min(by, Math.max(0, latest - to))
  return [from + shift, to + shift]
}

/** Index of the bucket that holds the moment, or the nearest one; -1 when there is none. */
export function bucketAt(columns: Pick<Columns, 'count' | 'start' | 'step'>, seconds: number): number {
  let low = 0
  let high = columns.count
  while (low < high) {
    const middle = (low + high) >> 1
    if ((columns.start[middle] ?? 0) <= seconds)
      low = middle + 1
    else
      high = middle
  }
  return columns.count === 0 ? -1 : Math.max(0, low - 1)
}

/** Start of the newest bucket that has a run, in seconds; 0 when none has. */
export function newestMeasured({ count, runs, start }: Pick<Columns, 'count' | 'runs' | 'start'>): number {
  for (let i = count - 1; i >= 0; i -= 1) {
    if ((runs[i] ?? 0) > 0)
      return start[i] ?? 0
  }
  return 0
}

/** Where the keyboard moves the cursor; null for keys that do not. */
export function cursorKey(key: string, large: boolean, current: number, count: number): number | null {
  if (count === 0)
    return null
  const step = large ? 30 : 1
  const clamp = (i: number) => Math.max(0, Math.min(count - 1, i))
  switch (key) {
    case 'ArrowRight': return clamp(current + step)
    case 'ArrowLeft': return clamp(current - step)
    case 'Home': return 0
    case 'End': return count - 1
    default: return null
  }
}
