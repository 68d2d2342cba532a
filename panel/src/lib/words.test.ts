import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { actionText, detailLines } from './audit'
import { deviceName } from './device'
import { fuzzyScore, fuzzySort } from './fuzzy'
import { AGENT_LOOK, GRADE_LOOK, GRADES, isAboutTarget, OUTCOME_WORD, severity, urgency } from './grade'

interface Spec { components: { schemas: Record<string, { enum?: string[] }> } }
const spec = parse(readFileSync('../docs/openapi.yaml', 'utf8')) as Spec
const enumOf = (name: string) => spec.components.schemas[name]?.enum ?? []

describe('the dictionary of states', () => {
  it('has every value of the API and no other', () => {
    expect(Object.keys(GRADE_LOOK)).toEqual(enumOf('Grade'))
    expect(Object.keys(AGENT_LOOK).sort()).toEqual([...enumOf('AgentStatus')].sort())
    expect(Object.keys(OUTCOME_WORD)).toEqual(enumOf('Outcome'))
  })
  it('never says a state by colour alone', () => {
    const looks = [GRADE_LOOK.fair, GRADE_LOOK.poor, GRADE_LOOK.critical, GRADE_LOOK.unknown, GRADE_LOOK.good]
    expect(new Set(looks.map(look => look.shape)).size).toBe(looks.length)
    expect(new Set(Object.values(GRADE_LOOK).map(look => look.word)).size).toBe(GRADES.length)
  })
  it('puts the worst first, and silence before what is known to be well', () => {
    expect([...GRADES].sort((a, b) => urgency(a) - urgency(b))).toEqual(['critical', 'poor', 'fair', 'unknown', 'good', 'excellent'])
    expect(severity('critical')).toBeGreaterThan(severity('poor'))
  })
  it('keeps the agent\'s own trouble apart from the target\'s', () => {
    expect(['ok', 'lost', 'unreachable', 'assertion_failed'].every(isAboutTarget)).toBe(true)
    expect(['not_measured', 'bind_error', 'permission_error', 'config_error'].some(isAboutTarget)).toBe(false)
  })
})

describe('search', () => {
  const names = ['Overview', 'vancouver-1 → svc-3a', 'london-1 → svc-3a', 'Audit log', 'New probe', 'van-2']
  it('finds by letters in order', () => expect(fuzzySort('np', names, name => name, 5)[0]).toBe('New probe'))
  it('prefers the beginning of a word', () => expect(fuzzySort('van', names, name => name, 5).slice(0, 2)).toEqual(['van-2', 'vancouver-1 → svc-3a']))
  it('finds nothing where letters are missing', () => expect(fuzzyScore('xyz', 'Overview')).toBe(0))
  it('keeps the order for an empty query and respects the limit', () => expect(fuzzySort('', names, name => name, 2)).toEqual(['Overview', 'vancouver-1 → svc-3a']))
})

describe('sentences', () => {
  const entry = { actor: { id: 'u', email: 'a@b', name: 'Ana' }, subject_type: 'probe', subject: 'p1', subject_name: 'van → svc' }
  it('tells who did what', () => {
    expect(actionText({ ...entry, action: 'probe.create' })).toBe('Ana created probe van → svc')
    expect(actionText({ ...entry, action: 'instance.set_up' })).toBe('Ana set up this instance')
    expect(actionText({ ...entry, action: 'session.sign_in' })).toBe('Ana signed in')
    expect(actionText({ ...entry, actor: null, action: 'retention.run_daily', subject_name: '', subject: '' })).toBe('The system retention run daily')
  })
  it('shows before and after', () => expect(detailLines({ site: ['', 'Rack 12'], count: 3, size: [null, 56] })).toEqual(['site: – → Rack 12', 'count: 3', 'size: 56']))
  it.each([['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'], ['curl/8.5.0', 'curl'], ['', 'Unknown']])('names a device', (agent, name) => expect(deviceName(agent)).toBe(name))
})
