// Uplinks side by side as the API says them.
import type { components } from '@/api/schema'

type S = components['schemas']
export type UplinkProbe = S['UplinkProbe']
export type Failover = S['UplinkFailover']
export type UplinkGroup = S['UplinkGroup']
export type Uplinks = S['UplinkComparison']
