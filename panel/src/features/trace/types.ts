// Traces on demand as the API says them.
import type { AgentRef, Path } from '@/features/path/types'

export type TraceState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled' | 'expired'

export interface TraceSettings {
  readonly protocol: 'icmp' | 'udp' | 'tcp'
  readonly port: number | null
  readonly flows: number | 'mda'
  readonly cycles: number
  readonly period_ms: number
  readonly max_hops: number
  readonly size: number | null
  readonly dscp: number
  readonly interface: string
  readonly family: string
}

export interface Trace {
  readonly id: string
  readonly agent: AgentRef
  readonly target: string
  readonly settings: Partial<TraceSettings>
  readonly state: TraceState
  readonly reason: string | null
  readonly created_us: number
  readonly started_us: number | null
  readonly ended_us: number | null
  readonly expires_us: number
  readonly created_by: string
  readonly cycles_done: number
  readonly cycles: number
  readonly path: Path | null
}

export interface TraceStart extends Partial<Omit<TraceSettings, 'port' | 'size'>> {
  readonly agent: string
  readonly target: string
  readonly port?: number
  readonly size?: number
}
