// Entries of the navigation: what the caller may see, and nothing else.
import type { Permission } from '@/api/types'
import { Activity, Cable, Gauge, HelpCircle, Network, Route, ScrollText, Server, Settings } from '@lucide/vue'

export interface NavEntry {
  readonly name: string
  readonly label: string
  readonly icon: typeof Activity
  readonly key: string
  readonly permission?: Permission
  /** In the bottom bar of small screens. */
  readonly primary: boolean
}

export const NAV: readonly NavEntry[] = [
  { name: 'overview', label: 'Overview', icon: Gauge, key: 'o', permission: 'probes.read', primary: true },
  { name: 'agents', label: 'Agents', icon: Server, key: 'a', permission: 'agents.read', primary: true },
  { name: 'probes', label: 'Probes', icon: Activity, key: 'p', permission: 'probes.read', primary: true },
  { name: 'map', label: 'Map', icon: Network, key: 'm', permission: 'probes.read', primary: true },
  { name: 'uplinks', label: 'Uplinks', icon: Cable, key: 'u', permission: 'agents.read', primary: false },
  { name: 'traces', label: 'Traces', icon: Route, key: 't', permission: 'probes.read', primary: false },
  { name: 'audit', label: 'Audit log', icon: ScrollText, key: 'l', permission: 'audit.read', primary: false },
  { name: 'settings', label: 'Settings', icon: Settings, key: 's', permission: 'workspace.read', primary: true },
  { name: 'help', label: 'How to read', icon: HelpCircle, key: 'h', primary: false },
]

export function visibleNav(can: (permission: Permission) => boolean): NavEntry[] {
  return NAV.filter(entry => entry.permission === undefined || can(entry.permission))
}
