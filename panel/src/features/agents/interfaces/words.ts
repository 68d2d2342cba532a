// Interfaces, routes and what happened to them, in words; and which names a probe may be bound to.
import type { Look } from '@/lib/grade'
import type { InterfaceAddress, InterfaceChange, Interfaces, InterfaceState, NetInterface, RouteEntry, Rule } from './types'
import { DASH, duration, joined } from '@/lib/format'
import { natural } from '@/lib/natural'

export const STATE_LOOK: Readonly<Record<InterfaceState, Look>> = {
  up: { word: 'Up', shape: 'disc', colour: '--excellent' },
  dormant: { word: 'Dormant', shape: 'half', colour: '--fair' },
  no_carrier: { word: 'No carrier', shape: 'octagon', colour: '--critical' },
  down: { word: 'Switched off', shape: 'bars', colour: '--unknown' },
  unknown: { word: 'Unknown', shape: 'ring', colour: '--unknown' },
}

export const KIND_WORD: Readonly<Record<NetInterface['kind'], string>> = {
  ethernet: 'Ethernet', wifi: 'Wi-Fi', loopback: 'loopback', tunnel: 'tunnel', bridge: 'bridge', bond: 'bond', vlan: 'VLAN', macvlan: 'MACVLAN', veth: 'virtual pair', ppp: 'PPP', wireguard: 'WireGuard', dummy: 'dummy', other: 'other',
}


/** Ways out first, then what is up, the machine's own last. */
export function arranged(interfaces: readonly NetInterface[]): NetInterface[] {
  const rank = (entry: NetInterface) => (entry.default ? 0 : entry.gateways.length > 0 ? 1 : entry.kind === 'loopback' ? 5 : entry.addresses.length === 0 && ['dummy', 'veth'].includes(entry.kind) ? 4 : entry.state === 'up' ? 2 : 3)
  return [...interfaces].sort((a, b) => rank(a) - rank(b) || natural(a.name, b.name))
}

export function speedText(mbps: number | null, duplex: NetInterface['duplex'] = null): string {
  if (mbps === null)
    return DASH
  const speed = mbps >= 1000 ? `${Number((mbps / 1000).toPrecision(3))} Gbit/s` : `${mbps} Mbit/s`
  return duplex === null ? speed : `${speed}, ${duplex} duplex`
}

export function addressNote({ scope, temporary, deprecated, tentative }: Pick<InterfaceAddress, 'scope' | 'temporary' | 'deprecated' | 'tentative'>): string {
  return [scope === 'global' ? '' : scope, temporary ? 'temporary' : '', deprecated ? 'deprecated' : '', tentative ? 'not confirmed yet' : ''].filter(Boolean).join(', ')
}

export function macText({ mac, vendor, mac_local }: Pick<NetInterface, 'mac' | 'vendor' | 'mac_local'>): { mac: string, note: string } {
  return mac === null ? { mac: DASH, note: '' } : { mac, note: vendor ?? (mac_local ? 'locally administered' : 'vendor unknown') }
}

export const tablesOf = (routes: readonly RouteEntry[], rules: readonly Rule[]): string[] => [...new Set([...routes.map(route => route.table), ...rules.map(rule => rule.table)])].filter(table => table !== '').sort(natural)

export interface RouteFilter { readonly family: string, readonly table: string, readonly q: string }

export function filteredRoutes(routes: readonly RouteEntry[], filter: RouteFilter): RouteEntry[] {
  const q = filter.q.trim().toLowerCase()
  return routes.filter(route => (filter.family === '' || route.family === filter.family) && (filter.table === '' || route.table === filter.table)
    && (q === '' || [route.destination, route.gateway, route.interface, route.protocol, route.source, route.type].some(text => text?.toLowerCase().includes(q))))
}

export function ruleText(rule: Rule): string {
  const parts = [
    rule.from === null ? 'from all' : `from ${rule.from}`, rule.to === null ? '' : `to ${rule.to}`, rule.iif === null ? '' : `arriving by ${rule.iif}`, rule.oif === null ? '' : `leaving by ${rule.oif}`, rule.fwmark === null ? '' : `marked 0x${rule.fwmark.toString(16)}`,
  ].filter(Boolean).join(' ')
  return rule.table === '' ? `${parts}: ${rule.action}` : `${parts}: ${rule.action === 'lookup' || rule.action === 'table' || rule.action === '' ? 'table' : rule.action} ${rule.table}`
}

const CHANGE_GLYPH: Readonly<Record<string, string>> = { added: '+', removed: '−', link: '⇅', address: '@', route: '⇄', dns: '?', gateway: '⇥', mtu: '↔', public: '⊕', failover: '⤳' }
export const changeGlyph = (kind: string): string => CHANGE_GLYPH[kind] ?? '·'

/** "before → after", for a failover how long there was none, and why something is missing. */
export function changeDetail({ before, after, detail }: Pick<InterfaceChange, 'before' | 'after' | 'detail'>): string {
  const both = before === null && after === null ? '' : `${before || DASH} → ${after || DASH}`
  return [both, detail.took_ms === null ? '' : `took ${joined(duration(detail.took_ms * 1000))}`, detail.reason ?? ''].filter(Boolean).join(', ')
}

export interface Choice { readonly name: string, readonly label: string }
export interface Choices {
  /** No agent has ever said what it has: any name is taken. */
  readonly free: boolean
  readonly choices: readonly Choice[]
  /** Names that only some of the agents have. */
  readonly partly: readonly string[]
}

/** What may be chosen for these agents: the names that all of them have that ever reported. */
export function interfaceChoices(reports: readonly (Interfaces | undefined)[], current: string): Choices {
  const known = reports.filter((report): report is Interfaces => report !== undefined && report.at_us !== null)
  if (known.length === 0)
    return { free: true, choices: [], partly: [] }
  const all = [...new Set(known.flatMap(report => [...report.valid_names]))].sort(natural)
  const common = all.filter(name => known.every(report => report.valid_names.includes(name)))
  const label = (name: string) => {
    const [one] = known
    const found = known.length === 1 ? one?.interfaces.find(entry => entry.name === name) : undefined
    return found ? [name, found.addresses.find(address => address.scope === 'global')?.address ?? '', found.state === 'up' ? '' : STATE_LOOK[found.state].word.toLowerCase()].filter(Boolean).join(' · ') : name
  }
  const choices = common.map(name => ({ name, label: label(name) }))
  return { free: false, choices: current !== '' && !common.includes(current) ? [...choices, { name: current, label: `${current} · not reported` }] : choices, partly: all.filter(name => !common.includes(name)) }
}
