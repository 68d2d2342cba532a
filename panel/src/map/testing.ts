// Small networks by their paths, for tests: "a1 r1 r2 t1" is a path of four nodes.
import type { Grade, NodeKind, Topology, TopologyNode } from './types'

const KIND: Readonly<Record<string, NodeKind>> = { a: 'agent', r: 'router', x: 'anonymous', t: 'target' }

interface Extra { readonly grades?: Readonly<Record<string, Grade>>, readonly nodes?: Readonly<Record<string, Partial<TopologyNode>>>, readonly edges?: Readonly<Record<string, { readonly delay_us?: number, readonly grade?: Grade }>>, readonly generation?: string }

/** Paths of one probe are written in one text, divided by "/". */
export function network(probes: readonly string[], extra: Extra = {}): Topology {
  const paths = probes.flatMap((text, p) => text.split('/').map(way => ({ probe: `p${p}`, nodes: way.trim().split(/\s+/) })))
  const ids = [...new Set(paths.flatMap(path => path.nodes))]
  const rank = new Map<string, number>()
  for (const path of paths)
    path.nodes.forEach((id, i) => rank.set(id, Math.max(rank.get(id) ?? 0, i)))
  const links = new Map<string, number>()
  for (const path of paths)
    path.nodes.slice(1).forEach((id, i) => links.set(`${path.nodes[i] ?? ''}>${id}`, (links.get(`${path.nodes[i] ?? ''}>${id}`) ?? 0) + 1))
  const through = (id: string) => paths.filter(path => path.nodes.includes(id)).length
  const out = (id: string) => [...links].reduce((sum, [key, n]) => key.startsWith(`${id}>`) ? sum + n : sum, 0)
  return {
    generation: extra.generation ?? 'm.1', at_us: 1e15, from_us: 1e15 - 6e8, until_us: 1e15, live: true, truncated: false,
    nodes: ids.map((id): TopologyNode => ({
      id, kind: KIND[id[0] ?? ''] ?? 'router', address: id.startsWith('x') || id.startsWith('a') ? null : `${id.startsWith('t') ? '203.0.113' : '192.0.2'}.${Number(id.slice(1)) || 0}`, addresses: [], name: '', site: null, labels: null, rank: rank.get(id) ?? 0, agent: id.startsWith('a') ? id.slice(1) : null,
      grade: extra.grades?.[id] ?? (id.startsWith('x') ? 'unknown' : 'excellent'), reason: '', forwarding_loss_ratio: id.startsWith('x') ? null : 0, asn: null, rtt_mean_us: null, verdict: 'none', limit_per_second: null, mpls: false, paths: through(id), seen_us: 1e15, ...extra.nodes?.[id],
    })),
    edges: [...links].map(([key, n]) => {
      const [source = '', target = ''] = key.split('>')
      return { id: key, source, target, paths: n, share: n / Math.max(1, out(source)), delay_us: extra.edges?.[key]?.delay_us ?? 500, loss_ratio: 0, grade: extra.edges?.[key]?.grade ?? 'excellent' }
    }),
    paths: paths.map(({ probe, nodes }) => ({ probe, agent: nodes[0] ?? '', target: nodes.at(-1) ?? '', protocol: 'icmp', nodes, share: 1 / paths.filter(other => other.probe === probe).length, grade: 'excellent', loss_ratio: 0, rtt_mean_us: 1000, seen_us: 1e15 })),
  }
}
