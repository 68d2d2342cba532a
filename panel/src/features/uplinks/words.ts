// Uplinks in words and in their order.
import type { Look } from '@/lib/grade'
import type { Failover, UplinkGroup, UplinkProbe } from './types'
import { duration, joined } from '@/lib/format'
import { urgency } from '@/lib/grade'
import { natural } from '@/lib/natural'

export const targetText = ({ target }: Pick<UplinkGroup, 'target'>): string => target?.name || target?.address || 'no target'
export const uplinkName = ({ interface: name }: Pick<UplinkProbe, 'interface'>): string => name === '' ? 'As routed' : name

export function upLook(up: boolean | null): Look {
  if (up === null)
    return { word: 'Not known', shape: 'ring', colour: '--unknown' }
  return up ? { word: 'Up', shape: 'disc', colour: '--excellent' } : { word: 'Down', shape: 'octagon', colour: '--critical' }
}

/** Groups with trouble first; within one by name, what is routed last. */
export function arrangedGroups(groups: readonly UplinkGroup[]): UplinkGroup[] {
  const worst = (group: UplinkGroup) => Math.min(...group.probes.map(probe => probe.up === false ? -1 : urgency(probe.grade)), 9)
  return [...groups].sort((a, b) => worst(a) - worst(b) || natural(a.agent.name, b.agent.name) || natural(targetText(a), targetText(b)) || natural(a.kind, b.kind))
    .map(group => ({ ...group, probes: [...group.probes].sort((a, b) => Number(a.interface === '') - Number(b.interface === '') || natural(a.interface, b.interface)) }))
}

export function failoverText({ from, to, took_ms }: Failover): string {
  return `${from || 'no uplink'} → ${to || 'no uplink'}${took_ms === null ? '' : `, took ${joined(duration(took_ms * 1000))}`}`
}

/** All sparklines of a group share their top, so that heights compare. */
export function sharedTop(group: Pick<UplinkGroup, 'probes'>): number {
  return Math.max(...group.probes.flatMap(probe => probe.sparkline.map(value => value ?? 0)), 1)
}
