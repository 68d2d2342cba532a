// Invented interfaces: a host with two uplinks, policy routing and what belongs to itself.
import type { InterfaceAddress, InterfaceChange, InterfaceChanges, Interfaces, NetInterface, RouteEntry } from '../../src/features/agents/interfaces/types'
import type { Uplinks } from '../../src/features/uplinks/types'
import type { components } from '../../src/api/schema'
import { noise } from './data.ts'

type S = components['schemas']

const plain = (part: Partial<NetInterface> & Pick<NetInterface, 'name' | 'index'>): NetInterface => ({
  kind: 'ethernet', mac: null, vendor: null, mac_local: false, mtu: 1500, speed_mbps: null, duplex: null, up: true, carrier: true, state: 'up', parent: null, master: null, addresses: [], gateways: [], default: false, dns: [], public_v4: null, public_v6: null, public_seen_us: null, probes: 0, ...part,
})
const address = (text: string, prefix: number, part: Partial<InterfaceAddress> = {}): InterfaceAddress => ({ address: text, prefix, family: text.includes(':') ? 'v6' as const : 'v4' as const, scope: 'global', temporary: false, deprecated: false, tentative: false, ...part })
const route = (part: Partial<RouteEntry> & Pick<RouteEntry, 'destination'>): RouteEntry => ({ family: part.destination.includes(':') ? 'v6' : 'v4', table: 'main', gateway: null, interface: null, metric: 0, protocol: 'kernel', scope: 'link', type: 'unicast', source: null, ...part })

export function makeInterfaces(nowUs: number): Interfaces {
  return {
    at_us: nowUs - 3_600_000_000, current: true, hostname: 'vancouver-1.example', dns: ['192.0.2.53', '2001:db8::53'], valid_names: ['eth0', 'eth1', 'wwan0', 'lo', 'wg0'], truncated: false,
    interfaces: [
      plain({ name: 'lo', index: 1, kind: 'loopback', mtu: 65_536, addresses: [address('127.0.0.1', 8, { scope: 'host' }), address('::1', 128, { scope: 'host' })] }),
      plain({ name: 'eth0', index: 2, mac: '00:1b:21:3a:9f:02', vendor: 'Intel Corporate', speed_mbps: 1000, duplex: 'full', default: true, probes: 3, dns: ['192.0.2.53'], public_v4: '203.0.113.77', public_v6: '2001:db8:1:2::10', public_seen_us: nowUs - 90e6, addresses: [address('192.0.2.10', 24), address('2001:db8:1:2::10', 64), address('2001:db8:1:2:9c1e:77ff:fe3a:1', 64, { temporary: true }), address('fe80::21b:21ff:fe3a:9f02', 64, { scope: 'link' })], gateways: [{ address: '192.0.2.1', family: 'v4', metric: 100, table: 'main' }, { address: 'fe80::1', family: 'v6', metric: 100, table: 'main' }] }),
      plain({ name: 'eth1', index: 3, mac: '00:1b:21:3a:9f:03', vendor: 'Intel Corporate', speed_mbps: 100, duplex: 'half', probes: 2, public_v4: '198.51.100.200', public_seen_us: nowUs - 95e6, addresses: [address('10.20.0.2', 30)], gateways: [{ address: '10.20.0.1', family: 'v4', metric: 200, table: '200' }] }),
      plain({ name: 'eth2', index: 4, mac: '02:42:ac:11:00:02', mac_local: true, carrier: false, state: 'no_carrier' }),
      plain({ name: 'wwan0', index: 5, kind: 'ppp', mtu: 1428, up: false, carrier: false, state: 'down' }),
      plain({ name: 'wg0', index: 6, kind: 'wireguard', mtu: 1420, addresses: [address('10.99.0.2', 32)] }),
      plain({ name: 'eth0.30', index: 7, kind: 'vlan', parent: 'eth0', mac: '00:1b:21:3a:9f:02', vendor: 'Intel Corporate', state: 'dormant', addresses: [address('172.16.30.2', 24, { tentative: true })] }),
    ],
    routes: [
      route({ destination: '0.0.0.0/0', gateway: '192.0.2.1', interface: 'eth0', metric: 100, protocol: 'dhcp', scope: 'global', source: '192.0.2.10' }), route({ destination: '192.0.2.0/24', interface: 'eth0', metric: 100, source: '192.0.2.10' }),
      route({ destination: '10.20.0.0/30', interface: 'eth1', source: '10.20.0.2' }), route({ destination: '0.0.0.0/0', table: '200', gateway: '10.20.0.1', interface: 'eth1', metric: 200, protocol: 'static', scope: 'global' }),
      route({ destination: '198.18.0.0/15', type: 'blackhole', protocol: 'static' }), route({ destination: '::/0', gateway: 'fe80::1', interface: 'eth0', metric: 100, protocol: 'ra' }), route({ destination: '2001:db8:1:2::/64', interface: 'eth0', metric: 100, protocol: 'ra' }),
      route({ destination: '127.0.0.0/8', table: 'local', interface: 'lo', type: 'local', scope: 'host', source: '127.0.0.1' }),
    ],
    rules: [
      { family: 'v4', priority: 0, from: null, to: null, iif: null, oif: null, fwmark: null, table: 'local', action: 'lookup' }, { family: 'v4', priority: 1000, from: '10.20.0.2/32', to: null, iif: null, oif: null, fwmark: null, table: '200', action: 'lookup' },
      { family: 'v4', priority: 1100, from: null, to: null, iif: null, oif: null, fwmark: 2, table: '200', action: 'lookup' }, { family: 'v4', priority: 32_766, from: null, to: null, iif: null, oif: null, fwmark: null, table: 'main', action: 'lookup' },
    ],
  }
}

export const NEVER: Interfaces = { at_us: null, current: false, hostname: '', interfaces: [], routes: [], rules: [], dns: [], valid_names: [], truncated: false }

export function makeInterfaceChanges(nowUs: number): InterfaceChanges {
  const change = (hoursAgo: number, text: string, part: Partial<InterfaceChange>): InterfaceChange => ({ at_us: nowUs - hoursAgo * 36e8, text, interface: 'eth1', kind: 'link', before: null, after: null, detail: { took_ms: null, reason: null }, ...part })
  return {
    next: null,
    changes: [
      change(1, 'eth1: public address', { kind: 'public', before: '198.51.100.199', after: '198.51.100.200' }), change(2.001, 'the default route is eth0\'s again', { kind: 'failover', interface: 'eth0', before: 'eth1', after: 'eth0', detail: { took_ms: 412, reason: null } }), change(2, 'eth0: carrier found', { interface: 'eth0', before: 'no carrier', after: 'up' }),
      change(3, 'the default route went to eth1', { kind: 'failover', before: 'eth0', after: 'eth1', detail: { took_ms: 1830, reason: null } }), change(3.001, 'eth0: carrier lost', { interface: 'eth0', before: 'up', after: 'no carrier' }), change(48, 'wg0: added', { kind: 'added', interface: 'wg0' }),
    ],
  }
}

export function makeUplinks(probes: readonly S['Probe'][], nowUs: number): Uplinks {
  const [one, two, three] = probes
  if (!one || !two || !three)
    return { from_us: nowUs - 864e8, to_us: nowUs, groups: [], truncated: false }
  const values = (seed: number, ms: number) => Array.from({ length: 48 }, (_, i) => i > 30 && i < 33 && seed === 1 ? null : Math.round(ms * 1000 * (0.95 + 0.2 * noise(seed, i))))
  const entry = (probe: S['Probe'], name: string, part = {}) => ({ probe, interface: name, public_address: null, up: true, grade: 'excellent' as const, reason: '', loss_ratio: 0, rtt_p50_us: 18_200, rtt_p95_us: 21_900, jitter_us: 310, sparkline: values(2, 18), ...part })
  return {
    from_us: nowUs - 864e8,
    to_us: nowUs,
    truncated: false,
    groups: [
      {
        agent: one.agent, target: one.target, kind: 'ping', failovers: [{ at_us: nowUs - 3 * 36e8, from: 'eth0', to: 'eth1', took_ms: 1830 }, { at_us: nowUs - 2 * 36e8, from: 'eth1', to: 'eth0', took_ms: 412 }],
        probes: [entry(three, ''), entry(one, 'eth0', { public_address: '203.0.113.77', sparkline: values(1, 18), loss_ratio: 0.004, grade: 'good', reason: 'loss 0.4 %, good from 0.1 %' }), entry(two, 'eth1', { public_address: '198.51.100.200', rtt_p50_us: 41_700, rtt_p95_us: 66_000, jitter_us: 4100, loss_ratio: 0.021, grade: 'fair', reason: 'loss 2.1 %, fair from 1 %', sparkline: values(3, 43) })],
      },
      { agent: probes[4]?.agent ?? one.agent, target: { id: 't9', address: '2001:db8:4000:17::a0f:1', name: '' }, kind: 'ping', failovers: [], probes: [entry(one, 'eth0'), entry(two, 'wwan0', { up: false, grade: 'unknown', reason: 'interface not usable', loss_ratio: null, rtt_p50_us: null, rtt_p95_us: null, jitter_us: null, sparkline: [] })] },
    ],
  }
}
