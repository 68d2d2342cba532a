// One bucket of a series in words: for the tip, the live region, the table and the CSV.
import type { Columns } from '@/charts/columns'
import type { Grade } from '@/lib/grade'
import type { Kind, Series } from '@/api/types'
import { Bucket } from '@/charts/columns'
import { byUnit, plural, sigmas, unitText } from '@/lib/format'
import { GRADE_LOOK, OUTCOME_WORD } from '@/lib/grade'
import { csv } from './export'
import { lossCounts } from './loss'

export interface BucketRow {
  readonly label: string
  readonly value: string
  readonly strong?: boolean
}

const STATE_WORD: Record<number, string> = {
  [Bucket.None]: 'No data: nothing was stored for this time.',
  [Bucket.NotMeasured]: 'Not measured: the trouble was the agent\'s own.',
  [Bucket.DeclaredLost]: 'The agent measured but lost the results.',
  [Bucket.Pending]: 'Not finished yet.',
}

export function stateWord(columns: Columns, index: number): string {
  return STATE_WORD[columns.state[index] ?? 0] ?? ''
}

/** The period before, drawn over this one. */
export function shiftedBy(columns: Columns, seconds: number): Columns {
  return { ...columns, start: columns.start.map(s => s + seconds), centre: columns.centre.map(s => s + seconds) }
}

export function outcomesAt(series: Series, index: number): { outcome: string, runs: number }[] {
  return Object.entries(series.outcomes).flatMap(([outcome, runs]) => (runs[index] ?? 0) > 0 ? [{ outcome, runs: runs[index] ?? 0 }] : [])
}

export function outcomeWord(outcome: string): string {
  return outcome in OUTCOME_WORD ? OUTCOME_WORD[outcome as keyof typeof OUTCOME_WORD] : outcome
}

function quantileRow(series: Series, kind: Kind, index: number, lo: number, hi: number, label: string): BucketRow[] {
  const { distribution } = kind.presentation
  const found = series.quantiles[distribution]
  const unit = kind.columns.find(column => column.name === distribution)?.unit ?? ''
  const at = (q: number) => found?.values[found.q.findIndex(value => Math.abs(value - q) < 1e-9)]?.[index]
  const [a, b] = [at(lo), at(hi)]
  if (a === null || a === undefined)
    return []
  return [{ label, value: lo === hi ? unitText(a, unit) : `${unitText(a, unit)} – ${unitText(b, unit)}`, strong: lo === hi }]
}

export function bucketRows(series: Series, kind: Kind, index: number): BucketRow[] {
  const { distribution, loss, lines, tiles } = kind.presentation
  const values = Object.fromEntries(Object.entries(series.metrics).map(([name, column]) => [name, column[index]]))
  const rows = distribution === '' ? [] : [
    ...quantileRow(series, kind, index, 0.5, 0.5, 'median'),
    ...quantileRow(series, kind, index, 0.25, 0.75, 'p25 – p75'),
    ...quantileRow(series, kind, index, 0.1, 0.9, 'p10 – p90'),
    ...quantileRow(series, kind, index, 0, 1, 'min – max'),
  ]
  const metricRow = (name: string): BucketRow[] => {
    const metric = kind.metrics.find(entry => entry.name === name)
    return metric ? [{ label: metric.label.toLowerCase(), value: unitText(values[name], metric.unit) }] : []
  }
  if (distribution === '')
    rows.push(...(lines.length > 0 ? lines : tiles).flatMap(metricRow))
  const ratio = values[loss]
  if (loss !== '' && ratio !== null && ratio !== undefined) {
    const counts = lossCounts(values)
    rows.push({ label: 'loss', value: `${unitText(ratio, 'ratio')}${counts === '' ? '' : ` · ${counts}`}`, strong: ratio > 0 })
  }
  const deviation = series.baseline?.deviation[index]
  if (deviation !== null && deviation !== undefined)
    rows.push({ label: 'against usual', value: sigmas(deviation), strong: Math.abs(deviation) >= 2 })
  const bad = outcomesAt(series, index).filter(entry => entry.outcome !== 'ok')
  rows.push(...bad.map(({ outcome, runs }) => ({ label: outcomeWord(outcome), value: plural(runs, 'run') })))
  const grade: Grade = series.grade[index] ?? 'unknown'
  rows.push({ label: 'grade', value: GRADE_LOOK[grade].word, strong: true })
  return rows
}

/** Values of one run, rising, in one unit: "20.1, 20.4, 22.0 ms". */
export function packetText(values: readonly number[], unit: string): string {
  const last = values.at(-1)
  if (last === undefined)
    return ''
  const scaled = byUnit(last, unit)
  const divisor = scaled.unit === 'ms' ? 1e3 : scaled.unit === 's' ? 1e6 : 1
  const digits = unit === 'us' && divisor > 1 ? 2 : 0
  return unit === 'us' && ['µs', 'ms', 's'].includes(scaled.unit) ? `${values.map(value => (value / divisor).toFixed(digits)).join(', ')} ${scaled.unit}` : values.map(value => unitText(value, unit)).join(', ')
}

/** For the live region. */
export function bucketSentence(series: Series, kind: Kind, columns: Columns, index: number, stamp: (us: number) => string): string {
  const at = stamp(series.start_us[index] ?? 0)
  const state = stateWord(columns, index)
  if (state !== '')
    return `${at}: ${state}`
  return `${at}: ${bucketRows(series, kind, index).map(row => `${row.label} ${row.value}`).join(', ')}`
}

/** Columns of the table and the CSV: metrics as declared, in the declaration's units. */
export function tableMetrics(series: Series, kind: Kind) {
  return kind.metrics.filter(metric => metric.name in series.metrics)
}

export function toCsv(series: Series, kind: Kind): string {
  const metrics = tableMetrics(series, kind)
  const usual = series.baseline
  const head = ['start', 'start_us', 'runs', 'grade', 'grade_reason', ...(usual ? [`usual_mean (${usual.column})`, 'usual_sigma', 'deviation_sigma'] : []), ...metrics.map(metric => metric.unit === '' ? metric.name : `${metric.name} (${metric.unit})`)]
  const lines = series.start_us.map((us, i) => [
    new Date(us / 1000).toISOString(), String(us), String(series.runs[i] ?? 0), series.grade[i] ?? '', series.grade_reason[i] ?? '',
    ...(usual ? [usual.mean, usual.sigma, usual.deviation].map(column => String(column[i] ?? '')) : []),
    ...metrics.map(metric => String(series.metrics[metric.name]?.[i] ?? '')),
  ])
  return csv([head, ...lines])
}

