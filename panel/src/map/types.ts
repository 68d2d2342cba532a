// What the map is told by the controller, by short names.
import type { components } from '@/api/schema'

type S = components['schemas']
export type Grade = S['Grade']
export type HopVerdict = S['HopVerdict']
/** Without its place on earth, which nobody knows yet. */
export type TopologyNode = Readonly<Omit<S['TopologyNode'], 'geo'>>
export type NodeKind = TopologyNode['kind']
/** Hops that do not answer are not graded, and agents only when they are. */
export function isGraded(node: { readonly kind: string, readonly grade: Grade }): boolean {
  return node.kind !== 'anonymous' && (node.kind !== 'agent' || node.grade !== 'unknown')
}
export type TopologyEdge = Readonly<S['TopologyEdge']>
export type TopologyPath = Readonly<S['TopologyPath']>
export type TopologyTimeline = Readonly<S['TopologyTimeline']>
export type TopologySeries = Readonly<S['TopologySeries']>

/** Arrays of the answer are never changed in place. */
export interface Topology extends Omit<S['Topology'], 'nodes' | 'edges' | 'paths'> {
  readonly nodes: readonly TopologyNode[]
  readonly edges: readonly TopologyEdge[]
  readonly paths: readonly TopologyPath[]
}

export interface TopologyDelta extends Pick<S['LiveTopology'], 'generation' | 'previous' | 'removed'> {
  readonly nodes: readonly TopologyNode[]
  readonly edges: readonly TopologyEdge[]
  readonly paths: readonly TopologyPath[]
}
