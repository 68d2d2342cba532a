// Where the map's data comes from.
import type { LiveClient } from '@/api/live'
import type { Topology, TopologyDelta, TopologySeries, TopologyTimeline } from '@/map/types'
import { api, unwrap } from '@/api/client'

export interface TopologyFollower {
  readonly started: () => void
  readonly deltas: (deltas: readonly TopologyDelta[]) => void
  readonly reset: () => void
}

export interface TopologySource {
  /** `atUs` null: now. */
  readonly read: (atUs: number | null, signal: AbortSignal) => Promise<Topology>
  readonly timeline: (fromUs: number, toUs: number, buckets: number, signal: AbortSignal) => Promise<TopologyTimeline>
  readonly series: (of: string, probes: readonly string[], fromUs: number, toUs: number, signal: AbortSignal) => Promise<TopologySeries>
  /** Until the returned function is called. */
  readonly follow: (follower: TopologyFollower) => () => void
}

export function topologySource(live: LiveClient, workspace: string): TopologySource {
  const path = { workspace }
  return {
    read: (atUs, signal) => unwrap(api.GET('/workspaces/{workspace}/topology', { params: { path, query: atUs === null ? {} : { at: atUs } }, signal })),
    timeline: (fromUs, toUs, buckets, signal) => unwrap(api.GET('/workspaces/{workspace}/topology/timeline', { params: { path, query: { from: Math.floor(fromUs), to: Math.ceil(toUs), buckets } }, signal })),
    series: (of, probes, fromUs, toUs, signal) => unwrap(api.GET('/workspaces/{workspace}/topology/series', { params: { path, query: { of, from: Math.floor(fromUs), to: Math.ceil(toUs), ...probes.length > 0 ? { probes: probes.join() } : {} } }, signal })),
    follow: follower => live.subscribe({ workspace, topic: 'topology' }, {
      started: follower.started,
      reset: follower.reset,
      events: events => follower.deltas(events.filter(event => event.type === 'topology')),
    }),
  }
}
