import type { Trace } from './types'
import { describe, expect, it } from 'vitest'
import { againQuery, draftFromQuery, EMPTY, problemsFromServer, traceBody, traceProblems } from './form'
import { endText, isOpen, traceFacts } from './words'

const draft = { ...EMPTY, agent: 'a1', target: ' svc-3a.example ' }

describe('the form of a trace', () => {
  it('asks for what is missing and refuses what is out of bounds', () => {
    expect(traceProblems({ ...EMPTY })).toEqual({ agent: 'Choose an agent', target: 'Is required' })
    expect(traceProblems(draft)).toEqual({})
    expect(Object.keys(traceProblems({ ...draft, target: '1.2.3.999', cycles: '0', period: '99', maxHops: 'x', size: '20', dscp: '64', interface: 'eth 0' })).sort()).toEqual(['cycles', 'dscp', 'interface', 'maxHops', 'period', 'size', 'target'])
  })
  it('wants a port only where there is one', () => {
    expect(traceProblems({ ...draft, port: '99999' })).toEqual({})
    expect(traceProblems({ ...draft, protocol: 'tcp', port: '99999' })).toHaveProperty('port')
    expect(traceProblems({ ...draft, protocol: 'tcp', port: '' })).toEqual({})
  })
  it('sends what is not as usual', () => {
    expect(traceBody(draft)).toEqual({ agent: 'a1', target: 'svc-3a.example', protocol: 'icmp', flows: 'mda', cycles: 10, period_ms: 500 })
    expect(traceBody({ ...draft, protocol: 'udp', port: '53', flows: '4', maxHops: '12', size: '1400', dscp: '46', family: 'v6', interface: ' eth1 ' })).toEqual({ agent: 'a1', target: 'svc-3a.example', protocol: 'udp', port: 53, flows: '4', cycles: 10, period_ms: 500, max_hops: 12, size: 1400, dscp: 46, family: 'v6', interface: 'eth1' })
    expect(traceBody({ ...draft, port: '53' })).not.toHaveProperty('port')
  })
  it('can be filled in by a link, and a trace made again is the same', () => {
    const settings = { protocol: 'tcp', port: 443, flows: '1', cycles: 20, period_ms: 500, max_hops: 30, size: 64, dscp: 0, interface: 'eth1', family: 'auto' }
    const query = againQuery('a1', 'svc-3a.example', settings)
    expect(query).toEqual({ new: '1', agent: 'a1', target: 'svc-3a.example', protocol: 'tcp', port: '443', flows: '1', cycles: '20', interface: 'eth1' })
    expect(traceBody(draftFromQuery(query))).toEqual({ agent: 'a1', target: 'svc-3a.example', protocol: 'tcp', port: 443, flows: '1', cycles: 20, period_ms: 500, interface: 'eth1' })
    expect(draftFromQuery({ agent: ['a', 'b'], other: 'x' } as never)).toEqual(EMPTY)
  })
  it('knows the server\'s names of its fields', () => expect(problemsFromServer({ period_ms: 'x', target: 'y' })).toEqual({ period: 'x', target: 'y' }))
})

describe('a trace in words', () => {
  const trace = { settings: { protocol: 'tcp', port: 443, flows: 'mda', cycles: 10, interface: 'eth1', dscp: 46, family: 'v6' } }
  it('says how it was made', () => expect(traceFacts(trace)).toEqual(['TCP to port 443', 'all paths', '10 packets to each hop and flow', 'by eth1', 'IPv6', 'DSCP 46']))
  it('says why there is no path', () => {
    const of = (state: Trace['state'], reason = '', cycles_done = 0) => endText({ state, reason, cycles_done })
    expect(of('expired')).toContain('did not take it up in time')
    expect(of('failed', 'eth1 is down')).toBe('It failed: eth1 is down')
    expect([of('cancelled'), of('cancelled', '', 3)]).toEqual(['It was cancelled before anything had come.', 'It was cancelled; shown is what had come until then.'])
    expect([of('done'), of('running')]).toEqual(['', ''])
    expect((['waiting', 'running', 'done', 'failed', 'cancelled', 'expired'] as const).filter(state => isOpen({ state }))).toEqual(['waiting', 'running'])
  })
})
