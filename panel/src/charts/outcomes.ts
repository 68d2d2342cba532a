// What became of the runs over time, as spans of one state each. "Down" speaks of the target; "not measured" and "lost
// by the agent" of the agent; "no data" of nothing at all.
import type { Series } from '@/api/types'
import type { Columns } from './columns'
import { isAboutTarget } from '@/lib/grade'
import { Bucket } from './columns'

export const OUTCOME_STATES = ['up', 'partly', 'down', 'not_measured', 'lost_by_agent', 'no_data', 'pending'] as const
export type OutcomeState = typeof OUTCOME_STATES[number]

export const OUTCOME_STATE_WORD: Readonly<Record<OutcomeState, string>> = {
  up: 'up', partly: 'partly down', down: 'down', not_measured: 'not measured', lost_by_agent: 'results lost by the agent', no_data: 'no data', pending: 'not finished',
}

export interface OutcomeSpan {
  readonly state: OutcomeState
  /** Seconds. */
  readonly from: number
  readonly to: number
  readonly runs: number
}

const SILENT: Readonly<Record<number, OutcomeState>> = {
  [Bucket.None]: 'no_data', [Bucket.NotMeasured]: 'not_measured', [Bucket.DeclaredLost]: 'lost_by_agent', [Bucket.Pending]: 'pending',
}

function stateAt(series: Series, columns: Columns, i: number): OutcomeState {
  const silent = SILENT[columns.state[i] ?? Bucket.Data]
  if (silent)
    return silent
  if (columns.down[i] === 1)
    return 'down'
  const failed = Object.entries(series.outcomes).some(([outcome, runs]) => outcome !== 'ok' && isAboutTarget(outcome) && (runs[i] ?? 0) > 0)
  return failed ? 'partly' : 'up'
}

/** Adjacent buckets of one state are one span. */
export function outcomeSpans(series: Series, columns: Columns): OutcomeSpan[] {
  const spans: OutcomeSpan[] = []
  for (let i = 0; i < columns.count; i += 1) {
    const state = stateAt(series, columns, i)
    const from = columns.start[i] ?? 0
    const last = spans.at(-1)
    const runs = columns.runs[i] ?? 0
    if (last && last.state === state && Math.abs(last.to - from) < 1e-6)
      spans[spans.length - 1] = { ...last, to: from + columns.step, runs: last.runs + runs }
    else
      spans.push({ state, from, to: from + columns.step, runs })
  }
  return spans
}

/** The span at a moment; -1 where there is none. */
export function spanAt(spans: readonly OutcomeSpan[], seconds: number): number {
  return spans.findIndex(span => span.from <= seconds && seconds < span.to)
}
