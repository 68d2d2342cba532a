// Interfaces, routes and uplinks of an agent as the API says them.
export type InterfaceKind = 'ethernet' | 'wifi' | 'loopback' | 'tunnel' | 'bridge' | 'bond' | 'vlan' | 'macvlan' | 'veth' | 'ppp' | 'wireguard' | 'dummy' | 'other'
export type InterfaceState = 'up' | 'down' | 'no_carrier' | 'dormant' | 'unknown'
export type Family = 'v4' | 'v6'

export interface InterfaceAddress { readonly address: string, readonly prefix: number, readonly family: Family, readonly scope: 'global' | 'link' | 'host' | 'site', readonly temporary: boolean, readonly deprecated: boolean, readonly tentative: boolean }
export interface Gateway { readonly address: string, readonly family: Family, readonly metric: number, readonly table: string }

export interface NetInterface {
  readonly name: string
  readonly index: number
  readonly kind: InterfaceKind
  readonly mac: string | null
  readonly vendor: string | null
  readonly mac_local: boolean
  readonly mtu: number
  readonly speed_mbps: number | null
  readonly duplex: 'full' | 'half' | null
  readonly up: boolean
  readonly carrier: boolean
  readonly state: InterfaceState
  readonly parent: string | null
  readonly master: string | null
  readonly addresses: readonly InterfaceAddress[]
  readonly gateways: readonly Gateway[]
  readonly default: boolean
  readonly dns: readonly string[]
  readonly public_v4: string | null
  readonly public_v6: string | null
  readonly public_seen_us: number | null
  readonly probes: number
}
export interface RouteEntry { readonly family: Family, readonly table: string, readonly destination: string, readonly gateway: string | null, readonly interface: string | null, readonly metric: number, readonly protocol: string, readonly scope: string, readonly type: string, readonly source: string | null }
export interface Rule { readonly family: Family, readonly priority: number, readonly from: string | null, readonly to: string | null, readonly iif: string | null, readonly oif: string | null, readonly fwmark: number | null, readonly table: string, readonly action: string }

export interface Interfaces {
  /** Of the report; nothing when the agent never reported. */
  readonly at_us: number | null
  readonly current: boolean
  readonly hostname: string
  readonly interfaces: readonly NetInterface[]
  readonly routes: readonly RouteEntry[]
  readonly rules: readonly Rule[]
  readonly dns: readonly string[]
  readonly valid_names: readonly string[]
  readonly truncated: boolean
}

export interface InterfaceChange { readonly at_us: number, readonly text: string, readonly interface: string | null, readonly kind: string, readonly before: string | null, readonly after: string | null, readonly detail: { readonly took_ms: number | null, readonly reason: string | null } }
export interface InterfaceChanges { readonly changes: readonly InterfaceChange[], readonly next: string | null }
