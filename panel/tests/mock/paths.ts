// Invented paths: twelve hops with a nested diamond, a router that limits its replies, one that never answers, loss that
// begins in the middle and goes on to the end, labels, a NAT and a bleached DSCP. Before the last change hops 5 and 6 were others.
import type { Hop, Path, PathChange, PathChanges, PathDiff, PathLink } from '../../src/features/path/types'
import type { components } from '../../src/api/schema'
import { noise, PING } from './data.ts'

type S = components['schemas']

export const PATH: S['Kind'] = {
  ...PING, number: 2, name: 'path', label: 'Path', description: 'Every router on the way, its delay and what its silence means.',
  settings: [
    ...PING.settings.filter(setting => setting.name !== 'packets'),
    { ...PING.settings[3], name: 'protocol', label: 'Protocol', type: 'choice', default: 'icmp', choices: [{ value: 'icmp', label: 'ICMP' }, { value: 'udp', label: 'UDP' }, { value: 'tcp', label: 'TCP SYN' }], advanced: false } as S['KindSetting'],
  ],
  columns: [...PING.columns, { name: 'hops', type: 'table', unit: '', rollup: 'last', label: 'Hops', children: [] }],
}

interface Spec { ttl: number, address: string | null, name?: string, ms: number, share?: number, answered?: number, part?: Partial<Hop> }
const SENT = 200
const NONE = { ttl: null, dscp: null, ecn: null, mss: null, nat: null }
const LOSES = { verdict: 'forwarding', confidence: 0.991, grade: 'poor', grade_reason: 'forwarding loss 6 %, poor at 5 %' } as const

function hop({ ttl, address, name, ms, share = 1, answered = 1, part = {} }: Spec, seed: number): Hop {
  const sent = Math.round(SENT * share)
  const received = address === null ? 0 : Math.round(sent * answered)
  const mean = ms * 1000
  const rtt = received === 0 ? null : { min_us: Math.round(mean * 0.94), mean_us: Math.round(mean * (1 + 0.02 * noise(ttl, seed))), max_us: Math.round(mean * (1.1 + 0.6 * noise(ttl, 3) ** 3)), deviation_us: Math.round(mean * 0.04 + 60), last_us: Math.round(mean * (0.97 + 0.08 * noise(ttl, seed + 1))) }
  return {
    id: `${ttl}:${address ?? '*'}`, ttl, address, name: name ?? null, asn: null, last: false, answer: received === 0 ? 'none' : 'exceeded', icmp: received === 0 ? null : { type: 11, code: 0 }, sent, received,
    loss_ratio: sent === 0 ? 0 : 1 - received / sent, rtt, jitter_us: rtt && Math.round(mean * 0.02 + 40),
    recent_us: Array.from({ length: 30 }, (_, i) => received === 0 || noise(ttl * 31, i + seed) > 0.93 ? null : Math.round(mean * (0.98 + 0.1 * noise(ttl, i)))),
    verdict: 'none', confidence: 1, forwarding_loss_ratio: 0, limit_per_second: null, grade: 'excellent', grade_reason: '', share, per_packet: false, mtu: 1500, reply_ttl: rtt ? 255 - ttl : null, mpls: [], interfaces: [], altered: NONE, ...part,
  }
}

function specs(former: boolean): Spec[] {
  return [
    { ttl: 1, address: '192.0.2.1', name: 'gw.vancouver.example', ms: 0.42 },
    { ttl: 2, address: '10.64.0.1', ms: 2.1 },
    { ttl: 3, address: '203.0.113.9', name: 'bng-3.isp-a.example', ms: 3.4, part: { altered: { ...NONE, ttl: 1, nat: { source: '203.0.113.77', destination: null, ports: true } } } },
    { ttl: 4, address: '203.0.113.33', name: 'ae7-cr1.isp-a.example', ms: 4.2, share: 0.5 },
    { ttl: 4, address: '203.0.113.37', name: 'ae7-cr2.isp-a.example', ms: 4.4, share: 0.5 },
    ...(former
      ? [{ ttl: 5, address: '198.51.100.129', name: 'old-1.transit-b.example', ms: 9.1 }, { ttl: 6, address: '198.51.100.133', name: 'old-2.transit-b.example', ms: 11.8 }]
      : [
          { ttl: 5, address: '198.51.100.1', name: 'be12.transit-c.example', ms: 8.1, share: 0.5 },
          { ttl: 5, address: '198.51.100.5', name: 'be13.transit-c.example', ms: 8.3, share: 0.25 },
          { ttl: 5, address: '198.51.100.9', name: 'be14.transit-c.example', ms: 12.9, share: 0.25, part: { altered: { ...NONE, dscp: 0 } } },
          { ttl: 6, address: '198.51.100.21', name: 'core.transit-c.example', ms: 11.2, answered: 0.38, part: { verdict: 'rate_limited' as const, confidence: 0.998, limit_per_second: 1, altered: { ...NONE, dscp: 0 } } },
        ]),
    { ttl: 7, address: '198.51.100.45', name: 'p2.transit-c.example', ms: 12.6, part: { mpls: [{ label: 24_005, traffic_class: 0, bottom: false, ttl: 1 }, { label: 311, traffic_class: 0, bottom: true, ttl: 1 }], interfaces: [{ role: 0, index: 17, address: '198.51.100.45', name: 'et-0/0/3', mtu: 9100 }, { role: 2, index: 4, address: null, name: 'ae2.0', mtu: null }] } },
    { ttl: 8, address: '198.51.100.61', name: 'peer.cloud-d.example', ms: 14.9, answered: former ? 1 : 0.94, part: former ? {} : { ...LOSES, forwarding_loss_ratio: 0.06 } },
    { ttl: 9, address: null, ms: 0, part: { verdict: 'silent', confidence: 1, forwarding_loss_ratio: 0, grade: 'unknown' } },
    { ttl: 10, address: '2001:db8:4000:17::a0f:1', name: 'edge-with-a-very-long-name-17.fra1.cloud-d.example', ms: 19.8, answered: former ? 1 : 0.935, part: former ? {} : { ...LOSES, forwarding_loss_ratio: 0.06 } },
    { ttl: 11, address: '203.0.113.201', ms: 21.4, answered: former ? 1 : 0.945, part: former ? {} : { ...LOSES, forwarding_loss_ratio: 0.06 } },
    { ttl: 12, address: '198.51.100.7', name: 'svc-3a.example', ms: 23.7, answered: former ? 1 : 0.94, part: { last: true, answer: 'arrived', icmp: { type: 0, code: 0 }, ...(former ? {} : { ...LOSES, forwarding_loss_ratio: 0.06 }) } },
  ]
}

function linksOf(hops: readonly Hop[]): PathLink[] {
  const of = (ttl: number) => hops.filter(entry => entry.ttl === ttl)
  const links: PathLink[] = of(1).map(first => ({ from: 'agent', to: first.id, share: first.share, delay_us: first.rtt?.mean_us ?? null }))
  for (let ttl = 1; ttl < 12; ttl += 1) {
    const [near, far] = [of(ttl), of(ttl + 1)]
    near.forEach((from, i) => far.forEach((to, k) => {
      // The first branch stays by itself, the second splits again.
      if (near.length === 2 && far.length === 3 && (i === 0) !== (k === 0))
        return
      links.push({ from: from.id, to: to.id, share: Math.min(from.share, to.share), delay_us: from.rtt && to.rtt ? (to.rtt.mean_us ?? 0) - (from.rtt.mean_us ?? 0) : null })
    }))
  }
  return links
}

function pathsOf(hops: readonly Hop[]): Path['paths'] {
  const walks = linksOf(hops).reduce<Hop[][]>((found, link) => link.from === 'agent' ? [hops.filter(entry => entry.id === link.to)] : found, [])
  const links = linksOf(hops)
  let open = walks
  for (let ttl = 1; ttl < Math.max(...hops.map(entry => entry.ttl)); ttl += 1)
    open = open.flatMap(walk => links.filter(link => link.from === walk.at(-1)?.id).map(link => [...walk, ...hops.filter(entry => entry.id === link.to)]))
  return open.map((walk) => {
    const share = Math.min(...walk.map(entry => entry.share))
    const end = walk.at(-1)
    return { hops: walk.map(entry => entry.id), share, sent: Math.round(SENT * share), received: Math.round((end?.received ?? 0) * share), loss_ratio: end?.loss_ratio ?? 0, rtt_mean_us: end?.rtt?.mean_us ?? null, reached: end?.last ?? false }
  })
}

const agentOf = (probe: Pick<S['Probe'], 'agent'>) => ({ ...probe.agent })

export function makePath(probe: Pick<S['Probe'], 'agent' | 'target'>, atUs: number, windowS: number, changeUs: number, part: Partial<Path> = {}): Path {
  const hops = specs(atUs < changeUs).map((spec, i) => hop(spec, i + Math.floor(atUs / 6e7)))
  const paths = pathsOf(hops)
  const runs = Math.max(1, Math.floor(windowS / 60))
  return {
    at_us: atUs, from_us: atUs - windowS * 1e6, until_us: atUs, runs, first_run_us: atUs - windowS * 1e6 + 12e6, last_run_us: atUs - 9e6, agent: agentOf(probe), target: { name: probe.target?.name || 'svc-3a.example', address: '198.51.100.7' }, protocol: 'icmp',
    reached: true, mtu: 1500, black_hole: null, hops, links: linksOf(hops), paths, paths_total: paths.length, ...part,
  }
}

/** The target is down and a router filters: nothing from hop 8 on. */
export function makeUnreached(probe: Pick<S['Probe'], 'agent' | 'target'>, atUs: number): Path {
  const whole = makePath(probe, atUs, 600, 0)
  const hops = whole.hops.filter(entry => entry.ttl <= 9).map(entry => entry.ttl < 8 ? entry : { ...hop({ ttl: entry.ttl, address: null, ms: 0 }, 1), verdict: 'filtered' as const, confidence: 0.97, forwarding_loss_ratio: 0, grade: 'critical' as const, grade_reason: 'the target was not reached' })
  return { ...whole, reached: false, mtu: null, hops, links: linksOf(hops), paths: pathsOf(hops), paths_total: pathsOf(hops).length, black_hole: { after_ttl: 5, mtu: 1400 } }
}

export function makeChanges(nowUs: number): PathChanges {
  const changed = (hoursAgo: number, forth: boolean): PathChange => {
    const now = [{ ttl: 5, address: '198.51.100.1', name: 'be12.transit-c.example', asn: null }, { ttl: 6, address: '198.51.100.21', name: 'core.transit-c.example', asn: null }]
    const old = [{ ttl: 5, address: '198.51.100.129', name: 'old-1.transit-b.example', asn: null }, { ttl: 6, address: '198.51.100.133', name: null, asn: null }]
    return { at_us: nowUs - hoursAgo * 36e8, confirmed_us: nowUs - hoursAgo * 36e8 + 12e7, added: forth ? now : old, removed: forth ? old : now, before: forth ? 'r2' : 'r1', after: forth ? 'r1' : 'r2', hop_count_before: 12, hop_count_after: 12 }
  }
  const addresses = (former: boolean) => Array.from({ length: 12 }, (_, i) => specs(former).flatMap(spec => spec.ttl === i + 1 && spec.address !== null ? [spec.address] : []))
  return {
    changes: [changed(13, true), changed(12, false), changed(9, true)], stability: 0.83, flaps_per_day: 3, runs: 1440, truncated: false,
    routes: [
      { id: 'r1', hops: addresses(false), runs: 1195, share_of_time: 0.83, first_us: nowUs - 13 * 36e8, last_us: nowUs - 9e6 },
      { id: 'r2', hops: addresses(true), runs: 245, share_of_time: 0.17, first_us: nowUs - 24 * 36e8, last_us: nowUs - 9 * 36e8 - 6e7 },
    ],
  }
}

export function makeRouteChanges(probes: readonly S['Probe'][], nowUs: number): S['OverviewRouteChange'][] {
  return probes.filter(probe => probe.kind === PATH.name).flatMap(probe => [...makeChanges(nowUs).changes].reverse().map(change => ({ probe: probe.id, name: probe.name, text: `${change.added.length} hops added, ${change.removed.length} removed`, change })))
}

export function makeDiff(before: Path, after: Path): PathDiff {
  const gone = before.hops.filter(entry => !after.hops.some(other => other.id === entry.id)).map(entry => entry.id)
  const come = after.hops.filter(entry => !before.hops.some(other => other.id === entry.id)).map(entry => entry.id)
  const changed = after.hops.flatMap((entry) => {
    const other = before.hops.find(found => found.id === entry.id)
    return other && other.verdict !== entry.verdict ? [{ before: other.id, after: entry.id, loss_ratio_delta: (entry.loss_ratio ?? 0) - (other.loss_ratio ?? 0), rtt_mean_delta_us: (entry.rtt?.mean_us ?? 0) - (other.rtt?.mean_us ?? 0) }] : []
  })
  return { before, after, added: come, removed: gone, changed, same: gone.length + come.length === 0 }
}

/** Sixteen flows of which each is at every hop with every other: 30 hops like that one, 6,945 links. */
export function makeMesh(like: Hop): Pick<Path, 'hops' | 'links'> {
  const wide = (ttl: number) => ttl === 1 || ttl === 30 ? 1 : 16
  const hops = Array.from({ length: 30 }, (_, t) => Array.from({ length: wide(t + 1) }, (_, i) => ({ ...like, ttl: t + 1, id: `${t + 1}:${i}` }))).flat()
  const links = hops.flatMap(to => to.ttl === 1 ? [{ from: 'agent', to: to.id, share: 1, delay_us: null }] : hops.filter(from => from.ttl === to.ttl - 1).map(from => ({ from: from.id, to: to.id, share: 1 / 16, delay_us: null })))
  return { hops, links }
}
