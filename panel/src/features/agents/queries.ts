// What the agent pages ask for and change.
import type { MaybeRefOrGetter } from 'vue'
import type { components } from '@/api/schema'
import type { Agent } from '@/api/types'
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue } from 'vue'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { readAgents, readProbes } from '@/api/lists'

type Schemas = components['schemas']
const path = (workspace: string, agent: string) => ({ path: { workspace, agent } })

export function useAgents(workspace: MaybeRefOrGetter<string>) {
  return useQuery<Agent[]>({ queryKey: computed(() => keys.agents(toValue(workspace))), queryFn: ({ signal }) => readAgents(toValue(workspace), signal), staleTime: 60_000 })
}

export function useAgent(workspace: MaybeRefOrGetter<string>, agent: MaybeRefOrGetter<string>) {
  return useQuery<Agent>({
    queryKey: computed(() => keys.agent(toValue(workspace), toValue(agent))),
    queryFn: ({ signal }) => unwrap(api.GET('/workspaces/{workspace}/agents/{agent}', { params: path(toValue(workspace), toValue(agent)), signal })),
    staleTime: 60_000,
  })
}

export function useProbesOf(workspace: MaybeRefOrGetter<string>) {
  return useQuery({ queryKey: computed(() => keys.probes(toValue(workspace))), queryFn: ({ signal }) => readProbes(toValue(workspace), signal), staleTime: 60_000 })
}

export function useConnections(workspace: MaybeRefOrGetter<string>, agent: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => keys.connections(toValue(workspace), toValue(agent))),
    queryFn: ({ signal }) => unwrap(api.GET('/workspaces/{workspace}/agents/{agent}/connections', { params: { ...path(toValue(workspace), toValue(agent)), query: { limit: 100 } }, signal })),
  })
}

export const agentActions = {
  create: (workspace: string, body: Schemas['AgentCreate']) => unwrap(api.POST('/workspaces/{workspace}/agents', { params: { path: { workspace } }, body })),
  builtin: (workspace: string) => unwrap(api.POST('/workspaces/{workspace}/agents/builtin', { params: { path: { workspace } }, body: { name: 'controller' } })),
  update: (workspace: string, agent: string, body: Schemas['AgentUpdate']) => unwrap(api.PATCH('/workspaces/{workspace}/agents/{agent}', { params: path(workspace, agent), body })),
  remove: (workspace: string, agent: string) => unwrap(api.DELETE('/workspaces/{workspace}/agents/{agent}', { params: path(workspace, agent) })),
  restore: (workspace: string, agent: string) => unwrap(api.POST('/workspaces/{workspace}/agents/{agent}/restore', { params: path(workspace, agent) })),
  revoke: (workspace: string, agent: string) => unwrap(api.POST('/workspaces/{workspace}/agents/{agent}/revoke', { params: path(workspace, agent) })),
  enrol: (workspace: string, agent: string) => unwrap(api.POST('/workspaces/{workspace}/agents/{agent}/enrolment', { params: path(workspace, agent) })),
}
