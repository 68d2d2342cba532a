// Live changes of the topology. A delta says which generation it goes on from; one that is already in is left out, and
// one that does not fit means that something was missed and everything is read again.
import type { Topology, TopologyDelta, TopologyPath } from './types'

export type Applied =
  | { readonly kind: 'applied', readonly topology: Topology }
  | { readonly kind: 'known' }
  | { readonly kind: 'gap' }

interface Generation { readonly mark: string, readonly n: number }

function parse(text: string): Generation {
  const dot = text.lastIndexOf('.')
  const n = Number(text.slice(dot + 1))
  return { mark: text.slice(0, Math.max(0, dot)), n: Number.isSafeInteger(n) ? n : Number.NaN }
}

/** Whether what `topology` shows has `generation` in it already. */
export function contains(topology: Topology, generation: string): boolean {
  const [own, other] = [parse(topology.generation), parse(generation)]
  return topology.generation === generation || (own.mark === other.mark && other.n <= own.n)
}

function replaced<T extends { readonly id: string }>(items: readonly T[], changed: readonly T[], removed: readonly string[]): T[] {
  const byId = new Map(items.map(item => [item.id, item]))
  for (const id of removed)
    byId.delete(id)
  for (const item of changed)
    byId.set(item.id, item)
  return [...byId.values()]
}

function replacedPaths(paths: readonly TopologyPath[], changed: readonly TopologyPath[], probes: readonly string[]): TopologyPath[] {
  const gone = new Set(probes)
  return [...paths.filter(path => !gone.has(path.probe)), ...changed]
}

export function applyDelta(topology: Topology, delta: TopologyDelta): Applied {
  if (contains(topology, delta.generation))
    return { kind: 'known' }
  if (delta.previous !== topology.generation)
    return { kind: 'gap' }
  return {
    kind: 'applied',
    topology: {
      ...topology,
      generation: delta.generation,
      nodes: replaced(topology.nodes, delta.nodes, delta.removed.nodes),
      edges: replaced(topology.edges, delta.edges, delta.removed.edges),
      paths: replacedPaths(topology.paths, delta.paths, delta.removed.paths),
    },
  }
}
