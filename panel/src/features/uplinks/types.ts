// Uplinks side by side as the API says them.
import type { Probe } from '@/api/types'
import type { AgentRef } from '@/features/path/types'
import type { Grade } from '@/lib/grade'

export interface UplinkProbe {
  readonly probe: Probe
  /** Empty: as routed. */
  readonly interface: string
  readonly public_address: string | null
  readonly up: boolean | null
  readonly grade: Grade
  readonly reason: string
  readonly loss_ratio: number | null
  readonly rtt_p50_us: number | null
  readonly rtt_p95_us: number | null
  readonly jitter_us: number | null
  readonly sparkline: readonly (number | null)[]
}
export interface Failover { readonly at_us: number, readonly from: string, readonly to: string, readonly took_ms: number | null }
export interface UplinkGroup { readonly agent: AgentRef, readonly target: Probe['target'], readonly kind: string, readonly probes: readonly UplinkProbe[], readonly failovers: readonly Failover[] }
export interface Uplinks { readonly groups: readonly UplinkGroup[], readonly truncated: boolean }
