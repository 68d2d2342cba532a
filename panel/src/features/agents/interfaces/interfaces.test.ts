import { describe, expect, it } from 'vitest'
import { makeInterfaceChanges, makeInterfaces, NEVER } from '../../../../tests/mock/interfaces'
import { addressNote, arranged, changeDetail, filteredRoutes, interfaceChoices, macText, ruleText, speedText, tablesOf } from './words'

const T0 = 1_769_212_800_000_000
const report = makeInterfaces(T0)

describe('interfaces', () => {
  it('stand with the ways out first and the machine\'s own last', () => expect(arranged(report.interfaces).map(entry => entry.name)).toEqual(['eth0', 'eth1', 'wg0', 'eth0.30', 'eth2', 'wwan0', 'lo']))
  it('speed, scope and maker in words', () => {
    expect([speedText(1000), speedText(2500, 'full'), speedText(100, 'half'), speedText(null)]).toEqual(['1 Gbit/s', '2.5 Gbit/s, full duplex', '100 Mbit/s, half duplex', '–'])
    expect(addressNote({ scope: 'global', temporary: true, deprecated: true, tentative: false })).toBe('temporary, deprecated')
    expect(macText({ mac: '02:00:00:00:00:01', vendor: null, mac_local: true }).note).toBe('locally administered')
    expect(macText({ mac: '00:1b:21:00:00:01', vendor: null, mac_local: false }).note).toBe('vendor unknown')
    expect(macText({ mac: null, vendor: null, mac_local: false })).toEqual({ mac: '–', note: '' })
  })
})

describe('routes and rules', () => {
  it('are filtered by family, table and text', () => {
    const filter = { family: '', table: '', q: '' }
    expect(filteredRoutes(report.routes, filter)).toHaveLength(report.routes.length)
    expect(filteredRoutes(report.routes, { ...filter, family: 'v6' }).map(route => route.destination)).toEqual(['::/0', '2001:db8:1:2::/64'])
    expect(filteredRoutes(report.routes, { ...filter, table: '200' }).map(route => route.gateway)).toEqual(['10.20.0.1'])
    expect(filteredRoutes(report.routes, { ...filter, q: ' BLACK ' }).map(route => route.destination)).toEqual(['198.18.0.0/15'])
  })
  it('name their tables once, in order', () => expect(tablesOf(report.routes, report.rules)).toEqual(['200', 'local', 'main']))
  it('rules are sentences', () => expect(report.rules.map(ruleText)).toEqual(['from all: table local', 'from 10.20.0.2/32: table 200', 'from all marked 0x2: table 200', 'from all: table main']))
})

describe('what happened', () => {
  const of = (kind: string) => changeDetail(makeInterfaceChanges(T0).changes.find(change => change.kind === kind) ?? { before: null, after: null, detail: { took_ms: null, reason: null } })
  it('says from what to what, and how long a failover took', () => {
    expect(of('failover')).toBe('eth1 → eth0, took 412 ms')
    expect(of('added')).toBe('')
    expect(changeDetail({ before: '203.0.113.7', after: null, detail: { took_ms: null, reason: 'connection timed out' } })).toBe('203.0.113.7 → –, connection timed out')
  })
})

describe('which interface a probe may be bound to', () => {
  const other = { ...report, valid_names: ['eth0', 'wlan0'] }
  it('is typed while no agent has ever reported', () => {
    expect(interfaceChoices([], '')).toMatchObject({ free: true })
    expect(interfaceChoices([NEVER, undefined], 'eth0')).toMatchObject({ free: true })
  })
  it('is one of the agent\'s, with its address and state', () => {
    const { free, choices } = interfaceChoices([report], '')
    expect(free).toBe(false)
    expect(choices.map(choice => choice.label)).toEqual(['eth0 · 192.0.2.10', 'eth1 · 10.20.0.2', 'lo', 'wg0 · 10.99.0.2', 'wwan0 · switched off'])
  })
  it('of several agents is what all of them have that ever reported', () => {
    expect(interfaceChoices([report, other, NEVER], '')).toEqual({ free: false, choices: [{ name: 'eth0', label: 'eth0' }], partly: ['eth1', 'lo', 'wg0', 'wlan0', 'wwan0'] })
  })
  it('keeps what is set though it is gone', () => expect(interfaceChoices([report], 'ppp7').choices.at(-1)).toEqual({ name: 'ppp7', label: 'ppp7 · not reported' }))
})
