// Paths as the API says them.
import type { Grade } from '@/lib/grade'
import type { AgentStatus } from '@/lib/grade'

export interface AgentRef { readonly id: string, readonly name: string, readonly status: AgentStatus }
export type HopVerdict = 'none' | 'forwarding' | 'rate_limited' | 'silent' | 'filtered'
export interface HopRtt { readonly min_us: number | null, readonly mean_us: number | null, readonly max_us: number | null, readonly deviation_us: number | null, readonly last_us: number | null }
export interface MplsEntry { readonly label: number, readonly traffic_class: number, readonly bottom: boolean, readonly ttl: number }
export interface HopInterface { readonly role: number, readonly index: number | null, readonly address: string | null, readonly name: string | null, readonly mtu: number | null }
export interface HopAltered {
  readonly ttl: number | null
  readonly dscp: number | null
  readonly ecn: number | null
  readonly mss: number | null
  readonly nat: { readonly source: string | null, readonly destination: string | null, readonly ports: boolean } | null
}

export interface Hop {
  readonly id: string
  readonly ttl: number
  readonly address: string | null
  readonly name: string | null
  readonly asn: number | null
  readonly last: boolean
  readonly answer: string
  readonly icmp: { readonly type: number, readonly code: number } | null
  readonly sent: number
  readonly received: number
  readonly loss_ratio: number | null
  readonly rtt: HopRtt | null
  readonly jitter_us: number | null
  readonly recent_us: readonly (number | null)[]
  readonly verdict: HopVerdict
  readonly confidence: number
  readonly forwarding_loss_ratio: number | null
  readonly limit_per_second: number | null
  readonly grade: Grade
  readonly grade_reason: string
  readonly share: number
  readonly per_packet: boolean
  readonly mtu: number | null
  readonly reply_ttl: number | null
  readonly mpls: readonly MplsEntry[]
  readonly interfaces: readonly HopInterface[]
  readonly altered: HopAltered
}

export interface PathLink { readonly from: string, readonly to: string, readonly share: number, readonly delay_us: number | null }
export interface OnePath { readonly hops: readonly string[], readonly share: number, readonly sent: number, readonly received: number, readonly loss_ratio: number | null, readonly rtt_mean_us: number | null, readonly reached: boolean }

export interface Path {
  readonly at_us: number
  readonly from_us: number
  readonly until_us: number
  readonly runs: number
  readonly first_run_us: number | null
  readonly last_run_us: number | null
  readonly agent: AgentRef
  readonly target: { readonly name: string, readonly address: string | null }
  readonly protocol: string
  readonly reached: boolean | null
  readonly mtu: number | null
  readonly black_hole: { readonly after_ttl: number, readonly mtu: number | null } | null
  readonly hops: readonly Hop[]
  readonly links: readonly PathLink[]
  readonly paths: readonly OnePath[]
  readonly paths_total: number
}

export interface ChangedHop { readonly ttl: number, readonly address: string, readonly name: string | null, readonly asn: number | null }
export interface PathChange {
  readonly at_us: number
  readonly confirmed_us: number
  readonly added: readonly ChangedHop[]
  readonly removed: readonly ChangedHop[]
  readonly before: string | null
  readonly after: string
  readonly hop_count_before: number | null
  readonly hop_count_after: number | null
}
export interface Route { readonly id: string, readonly hops: readonly (readonly string[])[], readonly runs: number, readonly share_of_time: number, readonly first_us: number, readonly last_us: number }
export interface PathChanges { readonly changes: readonly PathChange[], readonly routes: readonly Route[], readonly stability: number | null, readonly flaps_per_day: number | null, readonly runs: number, readonly truncated: boolean }

export interface ChangedPair { readonly before: string, readonly after: string, readonly loss_ratio_delta: number | null, readonly rtt_mean_delta_us: number | null }
export interface PathDiff { readonly before: Path, readonly after: Path, readonly added: readonly string[], readonly removed: readonly string[], readonly changed: readonly ChangedPair[], readonly same: boolean }
