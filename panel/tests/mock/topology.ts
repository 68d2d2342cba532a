// Invented networks in the shape of the topology's answer: deterministic, of any size, consistent in itself (nodes, links
// and their counts come from the paths).
import type { Grade, Topology, TopologyDelta, TopologyEdge, TopologyNode, TopologyPath, TopologySeries, TopologyTimeline } from '../../src/map/types'
import { noise } from './data.ts'

export interface NetworkSize {
  readonly agents: number
  readonly targets: number
  readonly hops: number
  readonly edges: number
}

interface Hop { id: string, address: string | null, name: string, rank: number, site: string }
const CITIES = ['Vancouver', 'London', 'Singapore', 'São Paulo', 'Tokyo', 'Lagos', 'Madrid', 'Seattle', 'Toronto', 'Mumbai', 'Frankfurt', 'New York']
const TIERS = [
  { share: 0.24, columns: [1, 2, 3, 4], networks: 12 },
  { share: 0.5, columns: [5, 6, 7, 8], networks: 6 },
  { share: 0.26, columns: [9, 10, 11], networks: 12 },
] as const

/** A loss of forwarding that some hops of one transit network have. */
function lossOf(hop: Hop, seed: number): number {
  const bad = hop.address?.startsWith('198.19.8.') ?? false
  const n = noise(seed + 17, Number(hop.address?.split('.').at(-1) ?? 0) + hop.rank * 251)
  return bad && hop.rank >= 6 && n < 0.5 ? (n < 0.25 ? 0.14 : 0.07) : n > 0.985 ? 0.02 : 0
}
const gradeOf = (loss: number): Grade => loss >= 0.1 ? 'critical' : loss >= 0.05 ? 'poor' : loss >= 0.01 ? 'fair' : loss > 0 ? 'good' : 'excellent'

function makeHops(count: number, seed: number): Hop[][][] {
  let n = 0
  return TIERS.map((tier, t) => Array.from({ length: tier.networks }, (_, network) => {
    const each = Math.max(tier.columns.length, Math.round(count * tier.share / tier.networks))
    return Array.from({ length: each }, (_, k): Hop => {
      n += 1
      const silent = noise(seed, n) < 0.055
      const address = silent ? null : `198.${18 + t}.${network * 4 + Math.floor(k / 250)}.${k % 250 + 1}`
      return { id: address === null ? `x${n}` : `r${address}`, address, name: address !== null && noise(seed + 3, n) < 0.6 ? `ae${k}.core${network + 1}.${['access', 'transit', 'cloud'][t] ?? ''}.example` : '', rank: tier.columns[k % tier.columns.length] ?? 1, site: '' }
    })
  }))
}

/** Every way of one pair through three networks, several where packets are balanced. */
function waysOf(hops: readonly Hop[][][], a: number, t: number, seed: number): Hop[][] {
  const pick = (list: readonly Hop[], rank: number, key: number, spread: number): Hop[] => {
    const column = list.filter(hop => hop.rank === rank)
    const first = Math.floor(noise(seed + rank, key) * column.length)
    return Array.from({ length: Math.min(spread, column.length) }, (_, i) => column[(first + i) % column.length]).filter((hop): hop is Hop => hop !== undefined)
  }
  const networks = [hops[0]?.[a % 12] ?? [], hops[1]?.[(a * 3 + t + (noise(seed, a * 97 + t) > 0.5 ? 1 : 0)) % 6] ?? [], hops[2]?.[t % 12] ?? []]
  let ways: Hop[][] = [[]]
  TIERS.forEach((tier, i) => tier.columns.forEach((rank) => {
    const spread = i === 1 && rank === 6 && noise(seed + 5, a * 31 + t) > 0.4 ? 4 : i === 2 && rank === 9 && noise(seed + 6, a * 31 + t) > 0.7 ? 2 : 1
    const next = pick(networks[i] ?? [], rank, i === 0 ? a * 7 + rank : a * 131 + t * 17, spread)
    ways = next.length === 0 ? ways : ways.flatMap(way => next.slice(0, ways.length > 4 ? 1 : next.length).map(hop => [...way, hop]))
  }))
  return ways
}

export function makeTopology(size: NetworkSize = { agents: 24, targets: 36, hops: 1320, edges: 3000 }, seed = 5, atUs = 1_764_000_000_000_000): Topology {
  const hops = makeHops(size.hops, seed)
  const hopById = new Map(hops.flat(2).map(hop => [hop.id, hop]))
  const paths: TopologyPath[] = []
  const links = new Map<string, number>()
  for (let n = 0; n < size.agents * size.targets && links.size < size.edges; n += 1) {
    const [a, t] = [n % size.agents, (n * 7 + Math.floor(n / size.targets)) % size.targets]
    const ways = waysOf(hops, a, t, seed)
    for (const way of ways) {
      const loss = Math.max(0, ...way.map(hop => lossOf(hop, seed)))
      const nodes = [`aa${a}`, ...way.map(hop => hop.id), `t${t}`]
      nodes.slice(1).forEach((id, i) => links.set(`${nodes[i] ?? ''}>${id}`, (links.get(`${nodes[i] ?? ''}>${id}`) ?? 0) + 1))
      paths.push({ probe: `p${n}`, agent: `aa${a}`, target: `t${t}`, protocol: 'icmp', nodes, share: 1 / ways.length, grade: gradeOf(loss), loss_ratio: loss, rtt_mean_us: 8000 + 90_000 * noise(seed, n), seen_us: atUs - 8e6 })
    }
  }
  return finished(paths, hopById, size, seed, atUs)
}

function finished(paths: readonly TopologyPath[], hops: ReadonlyMap<string, Hop>, size: NetworkSize, seed: number, atUs: number): Topology {
  const count = new Map<string, number>()
  const links = new Map<string, number>()
  for (const path of paths) {
    new Set(path.nodes).forEach(id => count.set(id, (count.get(id) ?? 0) + 1))
    path.nodes.slice(1).forEach((id, i) => links.set(`${path.nodes[i] ?? ''}>${id}`, (links.get(`${path.nodes[i] ?? ''}>${id}`) ?? 0) + 1))
  }
  const out = new Map<string, number>()
  links.forEach((n, key) => out.set(key.split('>')[0] ?? '', (out.get(key.split('>')[0] ?? '') ?? 0) + n))
  const common = { addresses: [], site: null, labels: null, asn: null, geo: null, agent: null, reason: '', forwarding_loss_ratio: null, rtt_mean_us: null, verdict: 'none' as const, limit_per_second: null, mpls: false, seen_us: atUs - 8e6 }
  const node = (id: string): TopologyNode => {
    const hop = hops.get(id)
    const n = Number(/\d+$/.exec(id)?.[0] ?? 0)
    const shared = { ...common, id, paths: count.get(id) ?? 0 }
    if (id.startsWith('aa')) {
      const city = CITIES[Math.floor(n / 2) % CITIES.length] ?? ''
      return { ...shared, kind: 'agent', name: `${city.toLowerCase().replace(' ', '-').replace('ã', 'a')}-${n + 1}`, address: null, site: city, labels: n % 2 ? ['core', 'isp-b'] : ['edge'], rank: 0, agent: `a${n + 1}`, grade: 'excellent' }
    }
    if (!hop)
      return { ...shared, kind: 'target', name: `svc-${n}.example`, address: `203.0.113.${n + 1}`, addresses: [`203.0.113.${n + 1}`], rank: 12, grade: 'excellent', forwarding_loss_ratio: 0, rtt_mean_us: 40_000 }
    const loss = lossOf(hop, seed)
    const limited = hop.address !== null && noise(seed + 9, n + hop.rank) > 0.93
    return {
      ...shared, kind: hop.address === null ? 'anonymous' : 'router', address: hop.address, addresses: hop.address === null ? [] : [hop.address], name: hop.name, rank: hop.rank, grade: hop.address === null ? 'unknown' : gradeOf(loss),
      reason: loss > 0 ? `forwarding loss ${Math.round(loss * 100)} %` : '', forwarding_loss_ratio: hop.address === null ? null : loss, rtt_mean_us: hop.address === null ? null : 2000 + 5000 * hop.rank, verdict: hop.address === null ? 'silent' : limited ? 'rate_limited' : 'forwarding', limit_per_second: limited ? 10 : null, mpls: hop.rank === 7 && noise(seed + 2, n) > 0.7,
    }
  }
  const nodes = [...count.keys()].map(node)
  const nodeById = new Map(nodes.map(entry => [entry.id, entry]))
  const edges = [...links].map(([key, n], i): TopologyEdge => {
    const [source = '', target = ''] = key.split('>')
    const to = nodeById.get(target)
    return { id: key, source, target, paths: n, share: n / (out.get(source) ?? n), delay_us: noise(seed + 8, i) > 0.97 ? 24_000 : 400 + 3000 * noise(seed + 8, i), loss_ratio: to?.forwarding_loss_ratio ?? null, grade: to && to.kind !== 'anonymous' ? to.grade : 'excellent' }
  })
  return { generation: `m${size.agents}.1`, at_us: atUs, from_us: atUs - 600e6, until_us: atUs, live: true, truncated: false, nodes, edges, paths }
}

/** A small network where everything occurs: balanced paths, a hop without an answer, MPLS, loss, a rate limiter. */
export function makeSmallTopology(atUs: number, detour = false): Topology {
  return makeTopology({ agents: 6, targets: 3, hops: 90, edges: 400 }, detour ? 6 : 5, atUs)
}

export function makeTopologyTimeline(fromUs: number, toUs: number, buckets: number): TopologyTimeline {
  const step = Math.max(1e6, Math.round((toUs - fromUs) / buckets))
  const grades = Array.from({ length: buckets }, (_, i): Grade | null => {
    const hour = ((fromUs + i * step) / 3.6e9) % 24
    return hour > 4 && hour < 4.4 ? null : hour > 9 && hour < 10 ? 'critical' : hour > 15 && hour < 16.5 ? 'poor' : noise(3, i) > 0.9 ? 'fair' : 'excellent'
  })
  const changes = Array.from({ length: 6 }, (_, i) => ({ at_us: Math.round(fromUs + (toUs - fromUs) * (i + 0.5) / 6.3), probe: `p${i}`, agent_name: `agent-${i}`, target: `svc-${i}.example`, added: 2, removed: 1 + i % 2 }))
  return { from_us: fromUs, step_us: step, grades, changes, truncated: false }
}

/** One place over time: an hour of loss, and a gap. */
export function makeTopologySeries(of: string, fromUs: number, toUs: number): TopologySeries {
  const buckets = 48
  const step = Math.max(1e6, Math.round((toUs - fromUs) / buckets))
  const loss = Array.from({ length: buckets }, (_, i) => i > 30 && i < 34 ? null : i > 18 && i < 22 ? 0.07 : 0)
  return {
    of, from_us: fromUs, step_us: step, sent: loss.map(value => value === null ? null : 240), loss_ratio: loss, delay_us: loss.map((value, i) => value === null ? null : 30_000 + 4000 * noise(12, i)),
    grades: loss.map((value): Grade | null => value === null ? null : gradeOf(value)), probes: 12, probes_read: 8, runs: 11_520, sampled: true,
  }
}

/** What leads from one network to another. */
export function deltaBetween(before: Topology, after: Topology): TopologyDelta {
  const changed = <T extends { readonly id: string }>(from: readonly T[], to: readonly T[]) => {
    const known = new Map(from.map(item => [item.id, JSON.stringify(item)]))
    return to.filter(item => known.get(item.id) !== JSON.stringify(item))
  }
  const gone = (from: readonly { readonly id: string }[], to: readonly { readonly id: string }[]) => {
    const left = new Set(to.map(item => item.id))
    return from.filter(item => !left.has(item.id)).map(item => item.id)
  }
  const routes = (topology: Topology, probe: string) => JSON.stringify(topology.paths.filter(path => path.probe === probe))
  const probes = [...new Set([...before.paths, ...after.paths].map(path => path.probe))].filter(probe => routes(before, probe) !== routes(after, probe))
  return {
    generation: after.generation, previous: before.generation,
    nodes: changed(before.nodes, after.nodes), edges: changed(before.edges, after.edges), paths: after.paths.filter(path => probes.includes(path.probe)),
    removed: { nodes: gone(before.nodes, after.nodes), edges: gone(before.edges, after.edges), paths: probes },
  }
}
