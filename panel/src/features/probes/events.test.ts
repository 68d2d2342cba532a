import type { Probe, ProbeEvent } from '@/api/types'
import { describe, expect, it } from 'vitest'
import { makeAgent, makeProbe, PING } from '../../../tests/mock/data'
import { checkNote } from './annotation-form'
import { sharedTop } from './compare'
import { copyPlan } from './copy'
import { chartEvents, eventText, eventWord } from './events'
import { csv, resolvedColours } from './export'
import { arranged, grouped, isGroup } from './list'
import { packetText } from './bucket'
import { packetsFit } from './usePackets'
import { useZoom } from './useZoom'
import { computed, ref } from 'vue'

const event = (kind: ProbeEvent['kind'], part: Partial<ProbeEvent> = {}): ProbeEvent => ({ at_us: 5_000_000, until_us: null, kind, text: '', actor: '', detail: {}, annotation: null, ...part })

describe('events in words', () => {
  it('an edit names what was changed, by the labels of the form', () => expect(eventText(event('probe_changed', { detail: { 'settings.interval': [60_000, 5000], 'settings.dont_fragment': [false, true], 'name': ['', 'core'] } }), PING)).toBe('Interval 60 s → 5 s, Don\'t fragment No → Yes, name – → core'))
  it('an edit that only pauses or resumes says so', () => {
    expect(eventWord(event('probe_changed', { detail: { enabled: [true, false] } })).word).toBe('paused')
    expect(eventWord(event('probe_changed', { detail: { enabled: [false, true] } })).word).toBe('resumed')
    expect(eventWord(event('probe_changed', { detail: { 'enabled': [false, true], 'settings.packets': [1, 2] } })).word).toBe('configuration')
  })
  it('survives a detail that it does not understand', () => expect(eventText(event('probe_changed', { detail: { 'settings.gone': [null, { a: 1 }], 'odd': 'x', 'three': [1, 2, 3] } }), PING)).toBe('gone – → –'))
  it('a connection has its version, its end the reason', () => {
    expect(eventText(event('agent_restarted', { text: '0.2.0' }), PING)).toBe('version 0.2.0')
    expect(eventText(event('agent_disconnected', { text: 'connection reset' }), PING)).toBe('connection reset')
  })
  it('go onto the chart in seconds, notes by their text', () => expect(chartEvents([event('agent_connected'), event('annotation', { until_us: 9_000_000, text: 'storm' })])).toEqual([
    { seconds: 5, glyph: '⇡', label: 'agent connected' }, { seconds: 5, until: 9, glyph: '✎', label: 'storm', strong: true },
  ]))
})

describe('a note', () => {
  const fields = { text: 'works', at: '2026-01-24 14:00', until: '' }
  it('is a moment or a span, in the zone of the page', () => {
    expect(checkNote(fields, 'UTC')).toEqual({ problems: {}, atUs: Date.UTC(2026, 0, 24, 14) * 1000, untilUs: null })
    expect(checkNote({ ...fields, until: '2026-01-24 15:00' }, 'Europe/Berlin')).toEqual({ problems: {}, atUs: Date.UTC(2026, 0, 24, 13) * 1000, untilUs: Date.UTC(2026, 0, 24, 14) * 1000 })
  })
  it.each([
    [{ text: '  ' }, { text: 'Is required' }], [{ text: 'ä'.repeat(251) }, { text: 'Must be at most 500 bytes long' }], [{ at: 'noon' }, { at: expect.stringContaining('2026-01-24') as string }],
    [{ until: 'later' }, { until: expect.stringContaining('2026-01-24') as string }], [{ until: fields.at }, { until: 'Must be later than the beginning' }], [{ until: '2026-01-24 13:59' }, { until: 'Must be later than the beginning' }],
  ])('%j is refused', (part, problems) => expect(checkNote({ ...fields, ...part }, 'UTC').problems).toEqual(problems))
})

const agents = ['a1', 'a2', 'a3'].map((id, i) => makeAgent(id, `agent-${i + 1}`, { labels: i === 0 ? ['core'] : [] }))
const at = (i: number) => agents[i] ?? makeAgent('x', 'x')
const graded = (id: string, agent: number, target: string, grade: 'excellent' | 'fair' | 'critical' | 'unknown', part: Partial<Probe> = {}): Probe => {
  const probe = makeProbe(id, at(agent), target, part)
  return { ...probe, latest: probe.latest && { ...probe.latest, grade } }
}
const probes = [graded('p1', 0, 't1', 'excellent'), graded('p2', 0, 't2', 'critical'), graded('p3', 1, 't1', 'fair'), graded('p4', 2, 't3', 'excellent', { enabled: false })]

describe('copies', () => {
  it('leave out what is measured there, and what was chosen twice', () => {
    const plan = copyPlan([...probes.slice(0, 3)], ['a2', 'a3'], probes)
    expect(plan.map(step => [step.probe.target?.address, step.agents])).toEqual([['t1', ['a3']], ['t2', ['a2', 'a3']]])
  })
  it('are none when everything is there', () => expect(copyPlan([probes[0] ?? graded('x', 0, 't', 'fair')], ['a1', 'a2'], probes)).toEqual([]))
})

describe('groups', () => {
  const any = { q: '', kind: '', agent: '', state: '' }
  it('have their probes below them, the worst first', () => {
    const rows = grouped(arranged(probes, any, 'grade'), 'target', new Set())
    expect(rows.map(row => isGroup(row) ? `${row.title} ${row.worst ?? 'paused'} ${row.problems}` : row.id)).toEqual(['t2 critical 1', 'p2', 't1 fair 1', 'p3', 'p1', 't3 paused 0', 'p4'])
  })
  it('hide their probes when closed, and count them all the same', () => {
    const rows = grouped(probes, 'agent', new Set(['group:a1']))
    expect(rows.map(row => isGroup(row) ? row.probes.length : row.id)).toEqual([2, 1, 'p3', 1, 'p4'])
  })
  it('are only there when asked for', () => expect(grouped(probes, '', new Set())).toEqual(probes))
  it('hold every probe exactly once', () => expect(grouped(probes, 'target', new Set()).filter(row => !isGroup(row)).map(row => row.id).sort()).toEqual(['p1', 'p2', 'p3', 'p4']))
  it('come after the filters by target and by the agent\'s label', () => {
    const labels = new Map(agents.map(agent => [agent.id, agent.labels]))
    expect(arranged(probes, { ...any, target: 't1' }, 'name', labels).map(probe => probe.id)).toEqual(['p1', 'p3'])
    expect(arranged(probes, { ...any, label: 'core' }, 'name', labels).map(probe => probe.id)).toEqual(['p1', 'p2'])
    expect(arranged(probes, { ...any, label: 'nobody' }, 'name', labels)).toEqual([])
  })
})

describe('packets', () => {
  const series = { resolution: 'raw' as const, step_us: 1_000_000, count: 60, runs: Array.from({ length: 60 }, () => 1) }
  const minute = { fromMs: 0, toMs: 60_000 }
  it('are shown where runs lie three pixels apart', () => {
    expect(packetsFit(series, minute, 180)).toBe(true)
    expect(packetsFit(series, minute, 179)).toBe(false)
  })
  it('are not where a bucket holds several runs, or is a roll-up', () => {
    expect(packetsFit({ ...series, runs: [2] }, minute, 1000)).toBe(false)
    expect(packetsFit({ ...series, resolution: '5min' }, minute, 1000)).toBe(false)
    expect(packetsFit({ ...series, count: 0, runs: [] }, minute, 1000)).toBe(false)
  })
  it('read in one unit', () => {
    expect(packetText([900, 20_100, 22_004], 'us')).toBe('0.90, 20.10, 22.00 ms')
    expect(packetText([31, 55], 'us')).toBe('31, 55 µs')
    expect(packetText([], 'us')).toBe('')
  })
})

describe('zoom', () => {
  it('goes back the way it came and no further', () => {
    const range = ref({ from: 'now-6h', to: 'now' })
    const control = { range: computed(() => range.value), set: (next: { from: string, to: string }) => { range.value = next }, setAbsolute: (a: number, b: number) => { range.value = { from: String(a), to: String(b) } }, zoom: (factor: number) => { range.value = { from: `now-${factor}h`, to: 'now' } } }
    const zoom = useZoom(control)
    zoom.back()
    expect(range.value.from).toBe('now-6h')
    zoom.zoom(1000, 2000)
    zoom.zoomAt(2, 1500)
    expect(range.value.from).toBe('now-2h')
    zoom.back()
    expect(range.value).toEqual({ from: '1000', to: '2000' })
    zoom.back()
    zoom.back()
    expect(range.value.from).toBe('now-6h')
  })
})

describe('one scale', () => {
  it('is the highest of one unit', () => expect(sharedTop([{ unit: 'us', top: 3 }, { unit: 'us', top: 9 }])).toBe(9))
  it('does not exist across units', () => expect(sharedTop([{ unit: 'us', top: 3 }, { unit: 'B', top: 9 }])).toBeUndefined())
  it('nor for nothing', () => expect(sharedTop([])).toBeUndefined())
})

describe('files', () => {
  it('quote what would break a line or compute', () => expect(csv([['a,b', '"q"', '=1+1', '-5', 'x\ny']])).toBe('"a,b","""q""",\'=1+1,-5,"x\ny"\r\n'))
  it('a picture carries its colours', () => expect(resolvedColours('fill="var(--series)" stroke="var(--nope)"', name => name === '--series' ? '#8db4ff' : '')).toBe('fill="#8db4ff" stroke="var(--nope)"'))
})
