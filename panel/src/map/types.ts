// What the map is told by the controller.
import type { Grade } from '@/lib/grade'

export type { Grade }
export type NodeKind = 'agent' | 'router' | 'anonymous' | 'target'
export type HopVerdict = 'none' | 'forwarding' | 'rate_limited' | 'silent' | 'filtered'

export interface TopologyNode {
  readonly id: string
  readonly kind: NodeKind
  readonly address: string | null
  readonly addresses: readonly string[]
  readonly name: string
  readonly site: string | null
  readonly labels: readonly string[] | null
  /** Median distance from the agents in hops; agents 0. */
  readonly rank: number
  readonly agent: string | null
  readonly grade: Grade
  readonly reason: string
  readonly forwarding_loss_ratio: number | null
  readonly rtt_mean_us: number | null
  readonly verdict: HopVerdict
  readonly limit_per_second: number | null
  readonly mpls: boolean
  readonly paths: number
  readonly seen_us: number
}

export interface TopologyEdge {
  readonly id: string
  readonly source: string
  readonly target: string
  readonly paths: number
  /** Of the source's probes that go here. */
  readonly share: number
  readonly delay_us: number | null
  readonly loss_ratio: number | null
  readonly grade: Grade
}

export interface TopologyPath {
  readonly probe: string
  readonly agent: string
  readonly target: string
  readonly protocol: string
  readonly nodes: readonly string[]
  /** Of the probe's packets that went this way. */
  readonly share: number
  readonly grade: Grade
  readonly loss_ratio: number | null
  readonly rtt_mean_us: number | null
  readonly seen_us: number
}

export interface Topology {
  /** "<mark>.<n>"; another mark is another history. */
  readonly generation: string
  readonly at_us: number
  readonly from_us: number
  readonly until_us: number
  readonly live: boolean
  readonly truncated: boolean
  readonly nodes: readonly TopologyNode[]
  readonly edges: readonly TopologyEdge[]
  readonly paths: readonly TopologyPath[]
}

export interface TopologyDelta {
  readonly generation: string
  readonly previous: string
  readonly nodes: readonly TopologyNode[]
  readonly edges: readonly TopologyEdge[]
  readonly paths: readonly TopologyPath[]
  /** `paths`: probes whose paths are replaced by those given. */
  readonly removed: { readonly nodes: readonly string[], readonly edges: readonly string[], readonly paths: readonly string[] }
}

export interface RouteTick {
  readonly at_us: number
  readonly probe: string
  readonly agent_name: string
  readonly target: string
  readonly added: number
  readonly removed: number
}

export interface TopologyTimeline {
  readonly from_us: number
  readonly step_us: number
  readonly grades: readonly (Grade | null)[]
  readonly changes: readonly RouteTick[]
  readonly truncated: boolean
}
