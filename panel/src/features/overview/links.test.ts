import { describe, expect, it } from 'vitest'
import { changeLink, routeChangeLink, stateLink } from './links'

const kept = { from: 'now-6h', to: 'now' }
const entry = (action: string, subject_type: string) => ({ action, subject_type, subject: 'x1' })

describe('changes', () => {
  it('lead to what was changed, with the time range', () => {
    expect(changeLink(entry('probe.update', 'probe'), 'w', kept)).toEqual({ name: 'probe', params: { slug: 'w', probe: 'x1' }, query: kept })
    expect(changeLink(entry('agent.enrol', 'agent'), 'w', kept)).toEqual({ name: 'agent', params: { slug: 'w', agent: 'x1' }, query: kept })
    expect(changeLink(entry('invite.create', 'invite'), 'w', kept)).toEqual({ name: 'members', params: { slug: 'w' } })
    expect(changeLink(entry('workspace.update', 'workspace'), 'w', kept)).toEqual({ name: 'settings', params: { slug: 'w' } })
  })
  it('lead to the audit log when what they speak of is gone', () => {
    expect(changeLink(entry('probe.delete', 'probe'), 'w', kept)).toEqual({ name: 'audit', params: { slug: 'w' }, query: { action: 'probe.delete' } })
  })
})

it('a change of a route leads to the path after it beside the one before', () => {
  expect(routeChangeLink({ probe: 'p1', change: { at_us: 5_000_000_000_500 } }, 'w', kept, 9e12)).toEqual({ name: 'probe', params: { slug: 'w', probe: 'p1' }, query: { ...kept, at: '5000599999', before: '5000000000' } })
  // Not beyond now.
  expect(routeChangeLink({ probe: 'p1', change: { at_us: 5_000_000_000_000 } }, 'w', kept, 5_000_000_007)).toMatchObject({ query: { at: '5000000007' } })
})

it('a grade leads to the probes that have it', () => expect(stateLink('poor', 'w')).toEqual({ name: 'probes', params: { slug: 'w' }, query: { state: 'poor' } }))
