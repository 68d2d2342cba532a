// Where the map's data comes from.
import type { LiveClient, LiveTopic } from '@/api/live'
import type { Topology, TopologyDelta, TopologyTimeline } from '@/map/types'
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
  /** Until the returned function is called. */
  readonly follow: (follower: TopologyFollower) => () => void
}

// Until the document of the API has these routes.
type Get = (path: string, options: object) => Promise<{ data?: unknown, error?: unknown, response: Response }>
const get = api.GET as unknown as Get

export function topologySource(live: LiveClient, workspace: string): TopologySource {
  const path = { workspace }
  return {
    read: async (atUs, signal) => await unwrap(get('/workspaces/{workspace}/topology', { params: { path, query: atUs === null ? {} : { at: atUs } }, signal })) as Topology,
    timeline: async (fromUs, toUs, buckets, signal) => await unwrap(get('/workspaces/{workspace}/topology/timeline', { params: { path, query: { from: Math.floor(fromUs), to: Math.ceil(toUs), buckets } }, signal })) as TopologyTimeline,
    follow: follower => live.subscribe({ workspace, topic: 'topology' as LiveTopic }, {
      started: follower.started,
      reset: follower.reset,
      events: events => follower.deltas((events as unknown as (TopologyDelta & { type: string })[]).filter(event => event.type === 'topology')),
    }),
  }
}
