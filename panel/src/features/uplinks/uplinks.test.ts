import { describe, expect, it } from 'vitest'
import { makeUplinks } from '../../../tests/mock/interfaces'
import { MockController } from '../../../tests/mock/server'
import { arrangedGroups, failoverText, sharedTop, targetText, uplinkName, upLook } from './words'

const T0 = 1_769_212_800_000_000
const { groups } = makeUplinks(new MockController(() => T0).seed().probes, T0)

describe('uplinks', () => {
  it('with trouble come first; within a group by name, what is routed last', () => {
    const [first, second] = arrangedGroups(groups)
    expect(first && targetText(first)).toBe('2001:db8:4000:17::a0f:1')
    expect(second?.probes.map(uplinkName)).toEqual(['eth0', 'eth1', 'As routed'])
  })
  it('share the top of their lines', () => {
    expect(sharedTop({ probes: [] })).toBe(1)
    const top = sharedTop(groups[0] ?? { probes: [] })
    expect(groups[0]?.probes.every(probe => probe.sparkline.every(value => (value ?? 0) <= top))).toBe(true)
  })
  it('are up, down, or not known', () => expect([true, false, null].map(up => upLook(up).word)).toEqual(['Up', 'Down', 'Not known']))
  it('failovers say how long they took', () => {
    expect(failoverText({ at_us: 0, from: 'eth0', to: 'eth1', took_ms: 1830 })).toBe('eth0 → eth1, took 1.83 s')
    expect(failoverText({ at_us: 0, from: 'eth0', to: '', took_ms: null })).toBe('eth0 → no uplink')
  })
  it('targets are named as far as they have a name', () => expect([targetText({ target: null }), targetText({ target: { id: 't', address: '192.0.2.1', name: '' } })]).toEqual(['no target', '192.0.2.1']))
})
