// Traces on demand as the API says them.
import type { Path } from '@/features/path/types'

export type TraceState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled' | 'expired'

export interface TraceSettings {
  readonly protocol: string
  /** 0: the usual one. */
  readonly port: number
  readonly flows: string
  readonly cycles: number
  readonly period_ms: number
  readonly max_hops: number
  readonly size: number
  readonly dscp: number
  readonly interface: string
  readonly family: string
}

export interface Trace {
  readonly id: string
  readonly agent: { readonly id: string, readonly name: string, readonly connected: boolean }
  readonly target: string
  readonly settings: TraceSettings
  readonly state: TraceState
  readonly reason: string
  readonly created_us: number
  readonly started_us: number | null
  readonly ended_us: number | null
  readonly expires_us: number
  readonly created_by: string
  readonly cycles_done: number
  /** 0 before the agent has begun. */
  readonly cycles: number
  readonly path: Path | null
}

export interface TraceStart {
  agent: string
  target: string
  protocol?: 'icmp' | 'udp' | 'tcp'
  port?: number
  flows?: '1' | '2' | '4' | '8' | '16' | 'mda'
  cycles?: number
  period_ms?: number
  max_hops?: number
  size?: number
  dscp?: number
  interface?: string
  family?: 'auto' | 'v4' | 'v6'
}

export interface TraceList { readonly items: readonly Trace[], readonly next_cursor: string | null }
