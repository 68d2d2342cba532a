// What the interfaces' tab and the fields for interfaces ask for.
import type { MaybeRefOrGetter } from 'vue'
import type { ResolvedRange } from '@/lib/time-range'
import type { Interfaces } from './types'
import { keepPreviousData, useInfiniteQuery, useQueries, useQuery } from '@tanstack/vue-query'
import { computed, toValue } from 'vue'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { inMicroseconds } from '@/lib/time-range'

type Text = MaybeRefOrGetter<string>
const REFRESH_MS = 2000
const CHANGES = 200

function read(workspace: string, agent: string, atMs: number | null, signal: AbortSignal): Promise<Interfaces> {
  return unwrap(api.GET('/workspaces/{workspace}/agents/{agent}/interfaces', { params: { path: { workspace, agent }, query: atMs === null ? {} : { at: Math.floor(atMs) * 1000 + 999 } }, signal }))
}

export function useInterfaces(workspace: Text, agent: Text, atMs: MaybeRefOrGetter<number | null> = null) {
  return useQuery<Interfaces>({
    queryKey: computed(() => [...keys.interfaces(toValue(workspace), toValue(agent)), toValue(atMs) ?? 'now']),
    queryFn: ({ signal }) => read(toValue(workspace), toValue(agent), toValue(atMs), signal),
    refetchInterval: () => toValue(atMs) === null ? REFRESH_MS : false,
    placeholderData: keepPreviousData,
  })
}

/** The reports of several agents, for what may be chosen on all of them. */
export function useInterfacesOf(workspace: Text, agents: MaybeRefOrGetter<readonly string[]>) {
  return useQueries({
    queries: computed(() => toValue(agents).map(agent => ({
      queryKey: [...keys.interfaces(toValue(workspace), agent), 'now'], queryFn: ({ signal }: { signal: AbortSignal }) => read(toValue(workspace), agent, null, signal), staleTime: 30_000, retry: false,
    }))),
  })
}

export function useInterfaceChanges(workspace: Text, agent: Text, range: Text, resolved: MaybeRefOrGetter<ResolvedRange>) {
  return useInfiniteQuery({
    queryKey: computed(() => [...keys.interfaceChanges(toValue(workspace), toValue(agent)), toValue(range)]),
    queryFn: ({ signal, pageParam }) => unwrap(api.GET('/workspaces/{workspace}/agents/{agent}/interfaces/history', {
      params: { path: { workspace: toValue(workspace), agent: toValue(agent) }, query: { ...inMicroseconds(toValue(resolved)), limit: CHANGES, ...(pageParam === undefined ? {} : { cursor: pageParam }) } }, signal,
    })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: last => last.next ?? undefined,
    refetchInterval: () => toValue(range).endsWith('|now') ? REFRESH_MS : false,
  })
}
