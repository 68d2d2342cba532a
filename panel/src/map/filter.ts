// What the highlight bar asks for: which nodes, links and paths of the graph it speaks of.
import type { MapGraph } from './graph'
import type { Grade, TopologyNode } from './types'
import type { MapView } from './view'
import { row } from './graph'
import { inNetwork, parseNetwork } from './prefix'
import { isTrouble } from './view'

export interface Criteria {
  /** Part of a name, an address, a site, a label, or a network "198.51.100.0/24". */
  readonly text: string
  readonly grade: Grade | ''
  /** Forwarding loss of a node, at least; 0 is no question. */
  readonly loss: number
  /** Delay of a link in microseconds, at least; 0 is no question. */
  readonly delayUs: number
  readonly problems: boolean
}

export const NO_CRITERIA: Criteria = { text: '', grade: '', loss: 0, delayUs: 0, problems: false }

export function asksNothing(criteria: Criteria): boolean {
  return criteria.text.trim() === '' && criteria.grade === '' && criteria.loss <= 0 && criteria.delayUs <= 0 && !criteria.problems
}

/** Of the graph's nodes, edges and paths. */
export interface Matches {
  readonly nodes: Uint8Array
  readonly edges: Uint8Array
  readonly paths: Uint8Array
}

export function textTest(text: string): (node: TopologyNode) => boolean {
  const needle = text.trim().toLowerCase()
  const network = needle.includes('/') || needle.includes('.') || needle.includes(':') ? parseNetwork(needle) : null
  if (network && network.bits < network.bytes.length * 8)
    return node => addressesOf(node).some(address => inNetwork(address, network))
  return node => [node.name, node.site ?? '', ...addressesOf(node), ...node.labels ?? []].some(part => part.toLowerCase().includes(needle))
}

function addressesOf(node: TopologyNode): readonly string[] {
  return node.addresses.length > 0 ? node.addresses : node.address === null ? [] : [node.address]
}

export function matchesOf(graph: MapGraph, criteria: Criteria): Matches | null {
  if (asksNothing(criteria))
    return null
  const nodes = matchingNodes(graph, criteria)
  const edges = matchingEdges(graph, criteria)
  // A path is of interest when something on it is; its other hops say where the trouble is reached from.
  const edgesOf = edgeSet(graph, edges)
  const paths = Uint8Array.from(graph.paths, (path, p) => {
    const route = row(graph.route, p)
    if (criteria.problems && isTrouble(path.grade))
      return 1
    return route.some((node, i) => nodes[node] === 1 || (i > 0 && edgesOf.has((route[i - 1] ?? 0) * graph.nodes.length + node))) ? 1 : 0
  })
  return { nodes, edges, paths: criteria.problems ? widened(graph, nodes, edges, paths) : paths }
}

function matchingNodes(graph: MapGraph, criteria: Criteria): Uint8Array {
  const test = criteria.text.trim() === '' ? null : textTest(criteria.text)
  // A question about links alone is none about nodes.
  const aboutNodes = test !== null || criteria.grade !== '' || criteria.loss > 0 || criteria.problems
  return Uint8Array.from(graph.nodes, (node) => {
    if (!aboutNodes)
      return 0
    return (test === null || test(node))
      && (criteria.grade === '' || (node.kind !== 'anonymous' && node.grade === criteria.grade))
      && (criteria.loss <= 0 || (node.forwarding_loss_ratio !== null && node.forwarding_loss_ratio >= criteria.loss))
      && (!criteria.problems || (node.kind !== 'anonymous' && isTrouble(node.grade)))
      ? 1
      : 0
  })
}

function matchingEdges(graph: MapGraph, criteria: Criteria): Uint8Array {
  return Uint8Array.from(graph.edges, (edge) => {
    if (criteria.delayUs > 0 && edge.delay_us !== null && edge.delay_us >= criteria.delayUs)
      return 1
    return criteria.problems && isTrouble(edge.grade) ? 1 : 0
  })
}

function edgeSet(graph: MapGraph, edges: Uint8Array): Set<number> {
  const found = new Set<number>()
  edges.forEach((hit, e) => {
    if (hit === 1)
      found.add((graph.source[e] ?? 0) * graph.nodes.length + (graph.target[e] ?? 0))
  })
  return found
}

/** "Only problems" shows whole paths: everything on a path with a problem belongs to it. */
function widened(graph: MapGraph, nodes: Uint8Array, edges: Uint8Array, paths: Uint8Array): Uint8Array {
  const onPath = new Set<number>()
  paths.forEach((hit, p) => {
    if (hit === 0)
      return
    const route = row(graph.route, p)
    route.forEach((node, i) => {
      nodes[node] = 1
      if (i > 0)
        onPath.add((route[i - 1] ?? 0) * graph.nodes.length + node)
    })
  })
  graph.edges.forEach((_, e) => {
    if (onPath.has((graph.source[e] ?? 0) * graph.nodes.length + (graph.target[e] ?? 0)))
      edges[e] = 1
  })
  return paths
}

/** The same for what is drawn: a group is spoken of when one of its members is. Links between two matches count. */
export function viewMatches(view: MapView, matches: Matches | null): { nodes: Uint8Array, edges: Uint8Array } | null {
  if (!matches)
    return null
  const nodes = Uint8Array.from(view.nodes, node => node.members.some(member => matches.nodes[member] === 1) ? 1 : 0)
  const edges = Uint8Array.from(view.edges, edge => edge.members.some(member => matches.edges[member] === 1) || (nodes[edge.source] === 1 && nodes[edge.target] === 1) ? 1 : 0)
  view.edges.forEach((edge, e) => {
    if (edges[e] === 1) {
      nodes[edge.source] = 1
      nodes[edge.target] = 1
    }
  })
  return { nodes, edges }
}
