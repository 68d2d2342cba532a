// Agents and probes of a workspace: read once to the end, then kept current by live events.
import type { QueryClient } from '@tanstack/vue-query'
import type { LiveClient, LiveEvent } from './live'
import type { Agent, Probe } from './types'
import { api, allPages, unwrap } from './client'
import { keys } from './keys'

const PAGE = 1000

export function readAgents(workspace: string, signal: AbortSignal): Promise<Agent[]> {
  return allPages(cursor => unwrap(api.GET('/workspaces/{workspace}/agents', {
    params: { path: { workspace }, query: { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) } }, signal,
  })))
}

export function readProbes(workspace: string, signal: AbortSignal): Promise<Probe[]> {
  return allPages(cursor => unwrap(api.GET('/workspaces/{workspace}/probes', {
    params: { path: { workspace }, query: { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) } }, signal,
  })))
}

/** Puts `changed` in, by id; the array is new only when something changed. */
export function upserted<T extends { id: string }>(items: readonly T[], changed: readonly T[], gone: ReadonlySet<string> = new Set()): T[] {
  const byId = new Map(changed.map(item => [item.id, item]))
  const kept = items.filter(item => !gone.has(item.id)).map((item) => {
    const fresh = byId.get(item.id)
    byId.delete(item.id)
    return fresh ?? item
  })
  return [...kept, ...byId.values()]
}

/** A burst of events becomes one change of the cache. */
export function applyEvents(client: QueryClient, workspace: string, events: readonly LiveEvent[]): void {
  const agents: Agent[] = []
  const probes: Probe[] = []
  const gone = new Set<string>()
  for (const event of events) {
    if (event.type === 'agent')
      agents.push(event.agent)
    else if (event.type === 'probe')
      probes.push(event.probe)
    else if (event.type === 'agent_gone')
      gone.add(event.agent)
    else if (event.type === 'probe_gone')
      gone.add(event.probe)
    else if (event.type === 'annotated')
      void client.invalidateQueries({ queryKey: keys.events(workspace, event.probe ?? undefined) })
  }
  if (agents.length > 0 || gone.size > 0)
    client.setQueryData<Agent[]>(keys.agents(workspace), items => items && upserted(items, agents, gone))
  if (probes.length > 0 || gone.size > 0)
    client.setQueryData<Probe[]>(keys.probes(workspace), items => items && upserted(items, probes, gone))
  for (const agent of agents)
    client.setQueryData<Agent>(keys.agent(workspace, agent.id), agent)
  for (const probe of probes)
    client.setQueryData<Probe>(keys.probe(workspace, probe.id), probe)
}

/** Keeps a workspace's agents and probes current until the returned function is called. */
export function followWorkspace(live: LiveClient, client: QueryClient, workspace: string): () => void {
  const events = (batch: readonly LiveEvent[]) => applyEvents(client, workspace, batch)
  // What was read before following began, or across a hole, is read again; what nobody has read yet stays unread.
  const readAgain = (list: readonly string[], one: string) => () => {
    void client.invalidateQueries({ queryKey: list })
    void client.invalidateQueries({ queryKey: ['ws', workspace, one], predicate: query => query.queryKey.length === 4 })
  }
  const stale = { agents: readAgain(keys.agents(workspace), 'agent'), probes: readAgain(keys.probes(workspace), 'probe') }
  const stops = [
    live.subscribe({ workspace, topic: 'agents' }, { events, started: stale.agents, reset: stale.agents }),
    live.subscribe({ workspace, topic: 'probes' }, { events, started: stale.probes, reset: stale.probes }),
  ]
  return () => stops.forEach(stop => stop())
}
