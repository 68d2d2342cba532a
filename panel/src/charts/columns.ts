// A series as the charts want it: typed arrays by bucket, NaN for "no value", and for each bucket what it is. Merging
// the answer for the changed tail into an open chart happens on the answer itself, before this.
import type { Kind, Series } from '@/api/types'
import { isAboutTarget, severity } from '@/lib/grade'

/** What a bucket is. Only `Data` says something about the target. */
export const Bucket = { Data: 0, None: 1, NotMeasured: 2, DeclaredLost: 3, Pending: 4 } as const
export type BucketState = typeof Bucket[keyof typeof Bucket]

export interface Band {
  readonly label: string
  readonly lo: Float64Array
  readonly hi: Float64Array
  readonly opacity: number
}

export interface Line {
  readonly name: string
  readonly label: string
  readonly values: Float64Array
}

/** What is usual at that time of the week, and how far from it the bucket is; all of it the server's. */
export interface Usual {
  readonly mean: Float64Array
  readonly sigma: Float64Array
  readonly deviation: Float64Array
}

export interface Columns {
  readonly count: number
  /** Seconds. */
  readonly step: number
  readonly start: Float64Array
  readonly centre: Float64Array
  readonly state: Uint8Array
  readonly runs: Int32Array
  readonly unit: string
  readonly bands: readonly Band[]
  /** The coloured line: the median of the distribution. Empty when the kind has none. */
  readonly median: Float64Array
  readonly lines: readonly Line[]
  readonly usual: Usual | null
  readonly lossRatio: Float64Array
  /** Position in GRADES. */
  readonly lossGrade: Uint8Array
  readonly grade: Uint8Array
  /** All runs of the bucket failed in a way that speaks of the target. */
  readonly down: Uint8Array
}

const BANDS = [[0, 1, 0.13, 'min – max'], [0.1, 0.9, 0.24, 'p10 – p90'], [0.25, 0.75, 0.42, 'p25 – p75']] as const

function numbers(values: readonly (number | null)[] | undefined, count: number): Float64Array {
  const out = new Float64Array(count).fill(Number.NaN)
  values?.forEach((value, i) => { if (value !== null && i < count) out[i] = value })
  return out
}

function quantile(series: Series, column: string, q: number): Float64Array {
  const found = series.quantiles[column]
  const at = found?.q.findIndex(value => Math.abs(value - q) < 1e-9) ?? -1
  return numbers(found?.values[at], series.count)
}

function usual(series: Series): Usual | null {
  const { baseline, count } = series
  return baseline && baseline.mean.some(value => value !== null)
    ? { mean: numbers(baseline.mean, count), sigma: numbers(baseline.sigma, count), deviation: numbers(baseline.deviation, count) }
    : null
}

/** Runs that say nothing about the target, by bucket. */
function ownSide(series: Series): Int32Array {
  const out = new Int32Array(series.count)
  for (const [outcome, counts] of Object.entries(series.outcomes))
    if (!isAboutTarget(outcome))
      counts.forEach((n, i) => { out[i] = (out[i] ?? 0) + n })
  return out
}

/** A bucket at the end without a run is not a gap before its run could have arrived. */
export function pendingFrom(series: Series, nowUs: number): number {
  return nowUs - 2 * series.step_us - 5_000_000
}

export function toColumns(series: Series, kind: Kind): Columns {
  const { count } = series
  const { distribution, loss, lines } = kind.presentation
  const own = ownSide(series)
  const ok = series.outcomes.ok ?? []
  const state = new Uint8Array(count)
  const down = new Uint8Array(count)
  const pending = pendingFrom(series, series.now_us)
  for (let i = 0; i < count; i += 1) {
    const runs = series.runs[i] ?? 0
    if (runs === 0)
      state[i] = series.lost_declared[i] ? Bucket.DeclaredLost : (series.start_us[i] ?? 0) > pending ? Bucket.Pending : Bucket.None
    else if ((own[i] ?? 0) >= runs)
      state[i] = Bucket.NotMeasured
    else if ((ok[i] ?? 0) === 0)
      down[i] = 1
  }
  const step = series.step_us / 1e6
  const start = Float64Array.from(series.start_us, us => us / 1e6)
  const unitOf = (metric: string) => kind.metrics.find(entry => entry.name === metric)?.unit ?? ''
  return {
    count,
    step,
    start,
    centre: start.map(s => s + step / 2),
    state,
    runs: Int32Array.from(series.runs),
    unit: distribution === '' ? unitOf(lines[0] ?? '') : kind.columns.find(column => column.name === distribution)?.unit ?? '',
    bands: distribution === '' ? [] : BANDS.map(([lo, hi, opacity, label]) => ({ label, opacity, lo: quantile(series, distribution, lo), hi: quantile(series, distribution, hi) })),
    median: distribution === '' ? new Float64Array(0) : quantile(series, distribution, 0.5),
    lines: distribution === '' ? lines.map(name => ({ name, label: kind.metrics.find(entry => entry.name === name)?.label ?? name, values: numbers(series.metrics[name], count) })) : [],
    usual: usual(series),
    lossRatio: numbers(series.metrics[loss], count),
    lossGrade: Uint8Array.from(series.loss_grade, severity),
    grade: Uint8Array.from(series.grade, severity),
    down,
  }
}

/** The open chart's answer with its tail replaced by a newer one of the same step; what begins before `fromUs` goes. */
export function mergeTail(base: Series, tail: Series, fromUs: number): Series {
  if (tail.step_us !== base.step_us)
    return base
  const first = tail.start_us[0] ?? Number.POSITIVE_INFINITY
  const after = tail.start_us.at(-1) ?? Number.NEGATIVE_INFINITY
  const pick: [Series, number][] = []
  base.start_us.forEach((us, i) => { if (us < first && us + base.step_us > fromUs) pick.push([base, i]) })
  tail.start_us.forEach((us, i) => { if (us + tail.step_us > fromUs) pick.push([tail, i]) })
  base.start_us.forEach((us, i) => { if (us > after && us > first) pick.push([base, i]) })

  const column = <T>(of: (series: Series) => readonly T[] | undefined, missing: T): T[] => pick.map(([series, i]) => of(series)?.[i] ?? missing)
  const union = (of: (series: Series) => Record<string, unknown>) => [...new Set([...Object.keys(of(base)), ...Object.keys(of(tail))])]
  const start = column(series => series.start_us, 0)
  const known = base.baseline ?? tail.baseline
  return {
    ...base,
    now_us: tail.now_us,
    from_us: start[0] ?? base.from_us,
    to_us: Math.max(base.to_us, tail.to_us),
    count: pick.length,
    start_us: start,
    runs: column(series => series.runs, 0),
    grade: column(series => series.grade, 'unknown'),
    grade_reason: column(series => series.grade_reason, ''),
    loss_grade: column(series => series.loss_grade, 'unknown'),
    lost_declared: column(series => series.lost_declared, 0),
    ...(known ? { baseline: { column: known.column, mean: column(series => series.baseline?.mean, null), sigma: column(series => series.baseline?.sigma, null), deviation: column(series => series.baseline?.deviation, null) } } : {}),
    outcomes: Object.fromEntries(union(series => series.outcomes).map(name => [name, column(series => series.outcomes[name], 0)])),
    metrics: Object.fromEntries(union(series => series.metrics).map(name => [name, column(series => series.metrics[name], null)])),
    quantiles: Object.fromEntries(union(series => series.quantiles).map((name) => {
      const q = (base.quantiles[name] ?? tail.quantiles[name])?.q ?? []
      return [name, { q, values: q.map((_, k) => column(series => series.quantiles[name]?.values[k], null)) }]
    })),
  }
}
