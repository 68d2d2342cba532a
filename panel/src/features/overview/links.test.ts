import { describe, expect, it } from 'vitest'
import { changeLink, stateLink } from './links'

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

it('a grade leads to the probes that have it', () => expect(stateLink('poor', 'w')).toEqual({ name: 'probes', params: { slug: 'w' }, query: { state: 'poor' } }))
