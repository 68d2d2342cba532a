import { describe, expect, it } from 'vitest'
import { makeAgent, makeProbe, makeSeries, PING } from '../../tests/mock/data'
import { toColumns } from './columns'
import { OUTCOME_STATE_WORD, OUTCOME_STATES, outcomeSpans, spanAt } from './outcomes'

const T0 = 1_769_212_800_000_000
function spansOf(outcomes: Record<string, number[]>, part: { lost_declared?: number[], now_us?: number } = {}) {
  const count = Object.values(outcomes)[0]?.length ?? 0
  const base = makeSeries(makeProbe('p1', makeAgent('a1', 'x'), 't'), T0, T0 + count * 60e6, T0 + 1e12, { stepUs: 60e6 })
  const runs = Array.from({ length: count }, (_, i) => Object.values(outcomes).reduce((sum, column) => sum + (column[i] ?? 0), 0))
  const series = { ...base, count, start_us: runs.map((_, i) => T0 + i * 60e6), runs, outcomes, lost_declared: runs.map(() => 0), ...part }
  return outcomeSpans(series, toColumns(series, PING))
}

describe('outcome spans', () => {
  it('keep down, not measured, lost and no data apart', () => {
    const spans = spansOf({ ok: [1, 0, 0, 0, 0], lost: [0, 1, 0, 0, 0], bind_error: [0, 0, 1, 0, 0] }, { lost_declared: [0, 0, 0, 1, 0] })
    expect(spans.map(span => span.state)).toEqual(['up', 'down', 'not_measured', 'lost_by_agent', 'no_data'])
    expect(new Set(OUTCOME_STATES.map(state => OUTCOME_STATE_WORD[state])).size).toBe(OUTCOME_STATES.length)
  })
  it('say when only a part of the runs failed', () => expect(spansOf({ ok: [19, 20], unreachable: [1, 0] }).map(span => span.state)).toEqual(['partly', 'up']))
  it('do not blame the target for the agent\'s trouble beside good runs', () => expect(spansOf({ ok: [19], bind_error: [1] }).map(span => span.state)).toEqual(['up']))
  it('join neighbours of one state, count their runs and cover the time without a hole', () => {
    const spans = spansOf({ ok: [2, 3, 0, 1], lost: [0, 0, 2, 0] })
    expect(spans).toEqual([
      { state: 'up', from: T0 / 1e6, to: T0 / 1e6 + 120, runs: 5 }, { state: 'down', from: T0 / 1e6 + 120, to: T0 / 1e6 + 180, runs: 2 }, { state: 'up', from: T0 / 1e6 + 180, to: T0 / 1e6 + 240, runs: 1 },
    ])
  })
  it('leave what is still filling undecided', () => expect(spansOf({ ok: [1, 1, 0] }, { now_us: T0 + 170e6 }).at(-1)?.state).toBe('pending'))
  it('are found by their moment', () => {
    const spans = spansOf({ ok: [1, 0], lost: [0, 1] })
    expect([spanAt(spans, T0 / 1e6 - 1), spanAt(spans, T0 / 1e6), spanAt(spans, T0 / 1e6 + 60), spanAt(spans, T0 / 1e6 + 120)]).toEqual([-1, 0, 1, -1])
  })
})
