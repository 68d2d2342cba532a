// Where the first steps stand. Everything that has been done is in the data, what was chosen is in the URL: loading the
// page again loses nothing.
import type { ComputedRef } from 'vue'
import type { Agent, Probe } from '@/api/types'
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { keys } from '@/api/keys'
import { readAgents, readProbes } from '@/api/lists'

export type Step = 'agent' | 'probes' | 'result'

export interface Onboarding {
  readonly loaded: ComputedRef<boolean>
  readonly error: ComputedRef<unknown>
  readonly agents: ComputedRef<readonly Agent[]>
  readonly agent: ComputedRef<Agent | undefined>
  readonly probes: ComputedRef<readonly Probe[]>
  readonly step: ComputedRef<Step>
  readonly choose: (agent: string) => void
  readonly retry: () => void
}

/** The chosen agent, else the one that is there already. */
export function chosenAgent(agents: readonly Agent[], wanted: string): Agent | undefined {
  return agents.find(agent => agent.id === wanted) ?? agents.find(agent => agent.status === 'online') ?? agents.find(agent => agent.status !== 'pending')
}

export function stepOf(agent: Agent | undefined, probes: readonly Probe[]): Step {
  if (probes.length > 0)
    return 'result'
  return agent && agent.status !== 'pending' ? 'probes' : 'agent'
}

export function useOnboarding(workspace: ComputedRef<string>): Onboarding {
  const route = useRoute()
  const router = useRouter()
  // Both lists are followed by the shell's live subscription.
  const agents = useQuery<Agent[]>({ queryKey: computed(() => keys.agents(workspace.value)), queryFn: ({ signal }) => readAgents(workspace.value, signal), staleTime: 60_000 })
  const probes = useQuery<Probe[]>({ queryKey: computed(() => keys.probes(workspace.value)), queryFn: ({ signal }) => readProbes(workspace.value, signal), staleTime: 60_000 })
  const wanted = computed(() => typeof route.query.agent === 'string' ? route.query.agent : '')
  const agent = computed(() => chosenAgent(agents.data.value ?? [], wanted.value))
  const mine = computed(() => (probes.data.value ?? []).filter(probe => probe.agent.id === agent.value?.id))
  return {
    loaded: computed(() => agents.data.value !== undefined && probes.data.value !== undefined),
    error: computed(() => agents.error.value ?? probes.error.value),
    agents: computed(() => agents.data.value ?? []),
    agent,
    probes: mine,
    step: computed(() => stepOf(agent.value, mine.value)),
    choose: id => void router.replace({ query: { ...route.query, agent: id } }),
    retry: () => {
      void agents.refetch()
      void probes.refetch()
    },
  }
}
