// Pure parts of the features: lists, verdict, thresholds, CSV, comparison, permissions.
import type { Permission } from '@/api/types'
import { describe, expect, it } from 'vitest'
import { upserted } from '@/api/lists'
import { visibleNav } from '@/app/nav'
import { zoneName } from '@/app/useZone'
import { toColumns } from '@/charts/columns'
import { natural } from '@/lib/natural'
import { makeAgent, makeProbe, makeSeries, noise, PING } from '../../tests/mock/data'
import { MockController } from '../../tests/mock/server'
import { arranged as arrangedAgents, allLabels, parseLabels } from './agents/list'
import { verdict } from './overview/verdict'
import { bucketRows, bucketSentence, outcomesAt, toCsv } from './probes/bucket'
import { compareIds } from './probes/compare'
import { arranged } from './probes/list'
import { lossCounts } from './probes/loss'
import { inParallel } from './probes/useProbeActions'
import { strength } from './session/strength'
import { safeNext } from './session/useSignedIn'
import { daysProblem, fromDraft, rowProblem, toDraft } from './settings/thresholds'

const NONE = { q: '', kind: '', agent: '', state: '' }
const mock = new MockController(() => 1_769_212_800_000_000).seed()

describe('list of probes', () => {
  it('puts trouble first', () => {
    const grades = arranged(mock.probes, NONE, 'grade').map(probe => probe.latest?.grade)
    const order = ['critical', 'poor', 'fair', 'unknown', 'good', 'excellent']
    const places = grades.map(grade => order.indexOf(grade ?? 'unknown'))
    expect(places).toEqual([...places].sort((a, b) => a - b))
  })
  it('turns round with a minus', () => {
    const names = (sort: string) => arranged(mock.probes, NONE, sort).map(probe => probe.name)
    expect(names('-name')).toEqual([...names('name')].reverse())
  })
  it('needs every word, in whatever field it is', () => {
    expect(arranged(mock.probes, { ...NONE, q: 'london dns' }, 'name').map(probe => probe.name)).toEqual(['london-1 → dns.example'])
  })
  it('filters by state; paused is a state of its own', () => {
    const paused = { ...mock.probes[0] ?? makeProbe('x', makeAgent('a', 'a'), 't'), enabled: false }
    const list = [paused, ...mock.probes.slice(1)]
    expect(arranged(list, { ...NONE, state: 'paused' }, 'name')).toEqual([paused])
    expect(arranged(list, { ...NONE, state: 'problem' }, 'name').every(probe => ['fair', 'poor', 'critical'].includes(probe.latest?.grade ?? ''))).toBe(true)
  })
  it('sorts by a metric, largest first, missing last', () => {
    const values = arranged(mock.probes, NONE, 'm:rtt_p50').map(probe => probe.latest?.metrics.rtt_p50 ?? -1)
    expect(values).toEqual([...values].sort((a, b) => b - a))
  })
  it('sorts ten thousand and loses none', () => {
    const agent = makeAgent('a', 'a')
    const many = Array.from({ length: 10_000 }, (_, i) => makeProbe(`p${i}`, agent, `t${Math.floor(noise(i, 1) * 1e6)}.example`))
    const targets = arranged(many, { ...NONE, q: 'example' }, 'target').map(probe => probe.target?.address ?? '')
    expect(targets).toHaveLength(10_000)
    expect(targets).toEqual(targets.toSorted(natural))
  })
})

describe('list of agents', () => {
  it('filters by status, label and text', () => {
    expect(arrangedAgents(mock.agents, { q: '', status: 'offline', label: '', version: '' }, 'name').map(agent => agent.name)).toEqual(['lagos-2'])
    expect(arrangedAgents(mock.agents, { q: 'london', status: '', label: 'core', version: '' }, 'name')).toHaveLength(1)
    expect(arrangedAgents(mock.agents, { q: '', status: '', label: '', version: '' }, 'status')[0]?.status).toBe('offline')
  })
  it('reads labels as people write them', () => expect(parseLabels(' edge, core,, edge ')).toEqual(['edge', 'core']))
  it('knows all labels', () => expect(allLabels(mock.agents)).toEqual(['core', 'edge', 'isp-b']))
})

describe('live changes of a list', () => {
  const items = [{ id: 'a', n: 1 }, { id: 'b', n: 1 }]
  it('replaces in place, appends what is new, drops what is gone', () => expect(upserted(items, [{ id: 'b', n: 2 }, { id: 'c', n: 3 }], new Set(['a']))).toEqual([{ id: 'b', n: 2 }, { id: 'c', n: 3 }]))
  it('leaves the old list alone', () => {
    upserted(items, [{ id: 'a', n: 9 }])
    expect(items[0]?.n).toBe(1)
  })
})

describe('verdict', () => {
  const overview = (part: object) => ({ probes: 4, worst: [], agents: { pending: 0, online: 2, stale: 0, offline: 0, disabled: 0 }, grades: { excellent: 4, good: 0, fair: 0, poor: 0, critical: 0, unknown: 0, paused: 0 }, ...part })
  const grades = (part: object) => ({ excellent: 0, good: 0, fair: 0, poor: 0, critical: 0, unknown: 0, paused: 0, ...part })
  it.each([
    [{}, 'Excellent', 'All 4 measured probes are well.'],
    [{ grades: grades({ excellent: 2, critical: 1, poor: 1 }) }, 'Critical', '2 of 4 probes degraded.'],
    [{ grades: grades({ unknown: 4 }) }, 'No data', 'No data yet.'],
    [{ grades: grades({ paused: 4 }) }, 'No data', 'All probes are paused.'],
    [{ probes: 1, grades: grades({ excellent: 1 }) }, 'Excellent', 'The one measured probe is well.'],
    [{ grades: grades({ good: 3, unknown: 1 }) }, 'Good', 'All 3 measured probes are well.'],
  ])('%j', (part, word, text) => {
    const found = verdict(overview(part))
    expect([found.look.word, found.text]).toEqual([word, text])
  })
  it('names the worst with the controller\'s reason, and the agents that are away', () => {
    const probe = mock.probes[0]
    if (!probe)
      throw new Error('seed')
    const worst = [{ probe, grade: 'poor' as const, grade_reason: 'loss 12 of 100', metrics: {}, metric: '', values: [], grades: [] }]
    const found = verdict(overview({ worst, grades: grades({ poor: 1, excellent: 3 }), agents: { pending: 0, online: 1, stale: 1, offline: 1, disabled: 0 } }))
    expect(found.detail).toBe('Worst: vancouver-1 → svc-3a.example, loss 12 of 100. 2 agents not online.')
  })
})

describe('one bucket in words', () => {
  const series = makeSeries(mock.probes[0] ?? makeProbe('p', makeAgent('a', 'a'), 't'), 1_769_212_800_000_000 - 36e8, 1_769_212_800_000_000, 1_769_212_800_000_000 + 36e8, { width: 60 })
  const index = series.metrics.loss_ratio?.findIndex(value => value === 0) ?? 0
  it('has the percentiles, the loss and the grade', () => expect(bucketRows(series, PING, index).map(row => row.label)).toEqual(['median', 'p25 – p75', 'p10 – p90', 'min – max', 'loss', 'against usual', 'grade']))
  it('is a sentence for the live region', () => expect(bucketSentence(series, PING, toColumns(series, PING), index, () => '10:00')).toMatch(/^10:00: median .*grade Excellent$/))
  it('lists what happened', () => expect(outcomesAt(series, index)).toEqual([{ outcome: 'ok', runs: 1 }]))
  it('gives loss with its counts', () => {
    expect(lossCounts({ sent: 20, received: 19 })).toBe('1 of 20')
    expect(lossCounts({ sent: 20, received: 20 })).toBe('')
    expect(lossCounts({})).toBe('')
  })
  it('exports every bucket, empty where there is no value, and no formulas', () => {
    const csv = toCsv({ ...series, grade_reason: series.grade_reason.map((_, i) => i === 0 ? '=cmd|"x",1' : '') }, PING)
    const lines = csv.trimEnd().split('\r\n')
    expect(lines).toHaveLength(series.count + 1)
    expect(lines[0]).toContain('rtt_p50 (us)')
    expect(lines[1]).toContain('"\'=cmd|""x"",1"')
    expect(csv).not.toContain('null')
  })
})

describe('small things', () => {
  it('compares each probe once and eight at most', () => {
    expect(compareIds('a,b,a,,c')).toEqual(['a', 'b', 'c'])
    expect(compareIds('1,2,3,4,5,6,7,8,9')).toHaveLength(8)
    expect(compareIds(undefined)).toEqual([])
  })
  it('shows thresholds in percent and milliseconds and takes them back exactly', () => {
    const thresholds = { loss_ratio: { good: 0.001, fair: 0.01, poor: 0.05, critical: 0.1 }, latency_us: { good: 50_000, fair: 100_000, poor: 200_000, critical: 400_000 }, jitter_us: { good: 5000, fair: 15_000, poor: 30_000, critical: 60_000 } }
    expect(toDraft(thresholds).loss_ratio.good).toBe('0.1')
    expect(toDraft(thresholds).latency_us.poor).toBe('200')
    expect(fromDraft(toDraft(thresholds))).toEqual(thresholds)
  })
  it.each([[['30', '180', '1095'], [undefined, undefined, undefined]], [['30', '20', '1095'], [undefined, /shorter/, undefined]], [['0', '1.5', ''], [/1 to/, /1 to/, /1 to/]], [['99999', '99999', '7'], [/1 to/, /1 to/, /shorter/]]])('retention %j', (values, problems) => {
    const names = ['raw_days', 'five_minute_days', 'hour_days']
    const fields = Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']))
    names.forEach((name, i) => {
      const problem = problems[i]
      if (problem === undefined)
        expect(daysProblem(fields, name)).toBeUndefined()
      else
        expect(daysProblem(fields, name)).toMatch(problem)
    })
  })
  it.each([[['1', '2', '3', '4'], undefined], [['1', '1', '1', '1'], undefined], [['2', '1', '3', '4'], /rise/], [['1', 'x', '3', '4'], /numbers/], [['', '1', '2', '3'], /numbers/], [['-1', '0', '1', '2'], /negative/]])('thresholds %j', ([good = '', fair = '', poor = '', critical = ''], message) => {
    const problem = rowProblem({ good, fair, poor, critical })
    if (message === undefined)
      expect(problem).toBeUndefined()
    else
      expect(problem).toMatch(message)
  })
  it.each([['/w/a?b=1', '/w/a?b=1'], ['//evil.example', '/'], ['https://evil.example', '/'], ['/\\evil', '/'], [undefined, '/'], [['/a'], '/']])('goes on to %j as %s', (next, safe) => expect(safeNext(next)).toBe(safe))
  it('judges passwords by length and surprise', () => {
    expect(strength('short').word).toBe('Too short')
    expect(strength('aaaaaaaaaaaaaaaa').word).toBe('Weak')
    expect(strength('abcdefghijklmnop').word).toBe('Weak')
    expect(strength('correct horse battery staple').word).toBe('Strong')
  })
  it('shows in the navigation what the permissions allow', () => {
    const names = (...permissions: Permission[]) => visibleNav(permission => permissions.includes(permission)).map(entry => entry.name)
    expect(names()).toEqual(['help'])
    expect(names('probes.read', 'agents.read', 'workspace.read')).toEqual(['overview', 'agents', 'probes', 'map', 'uplinks', 'traces', 'settings', 'help'])
    expect(names('audit.read')).toContain('audit')
  })
  it('chooses the zone', () => {
    expect(zoneName('utc', 'Europe/Berlin')).toBe('UTC')
    expect(zoneName('workspace', 'Europe/Berlin')).toBe('Europe/Berlin')
    expect(zoneName('Asia/Tokyo', undefined)).toBe('Asia/Tokyo')
    expect(zoneName('Mars/Base', undefined)).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone)
  })
  it('does many things a few at a time, and all of them', async () => {
    let running = 0
    let most = 0
    const done: number[] = []
    const failures = await inParallel([1, 2, 3, 4, 5, 6, 7], 3, async (n) => {
      running += 1
      most = Math.max(most, running)
      await Promise.resolve()
      running -= 1
      if (n === 4)
        throw new Error('four')
      done.push(n)
    })
    expect([most, done.length, failures.length]).toEqual([3, 6, 1])
  })
})
