// Traces: started, followed and cancelled. A running one comes over the live socket; while that is interrupted it is read.
import type { MaybeRefOrGetter } from 'vue'
import type { Permission } from '@/api/types'
import type { Trace, TraceList, TraceStart } from './types'
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, watch } from 'vue'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { useLive } from '@/app/context'
import { useConnection } from '@/app/useConnection'
import { isOpen } from './words'

type Text = MaybeRefOrGetter<string>
/** May one trace? */
export const TRACE = 'probes.trace' satisfies Permission

const LIST_MS = 5000
const READ_MS = 10_000
const READ_WITHOUT_LIVE_MS = 1000

export function useTraces(workspace: Text, agent: MaybeRefOrGetter<string | undefined> = undefined) {
  return useQuery<TraceList>({
    queryKey: computed(() => [...keys.traces(toValue(workspace)), toValue(agent) ?? '']),
    queryFn: ({ signal }) => {
      const wanted = toValue(agent)
      return unwrap(api.GET('/workspaces/{workspace}/traces', { params: { path: { workspace: toValue(workspace) }, query: { limit: 100, ...(wanted ? { agent: wanted } : {}) } }, signal }))
    },
    refetchInterval: query => query.state.data?.items.some(isOpen) ? LIST_MS : false,
  })
}

export const traceActions = {
  start: (workspace: string, body: TraceStart) => unwrap(api.POST('/workspaces/{workspace}/traces', { params: { path: { workspace } }, body })),
  cancel: (workspace: string, trace: string) => unwrap(api.DELETE('/workspaces/{workspace}/traces/{trace}', { params: { path: { workspace, trace } } })),
}

export function useTrace(workspace: Text, id: Text) {
  const client = useQueryClient()
  const live = useLive()
  const { paused } = useConnection()
  const query = useQuery<Trace>({
    queryKey: computed(() => keys.trace(toValue(workspace), toValue(id))),
    queryFn: ({ signal }) => unwrap(api.GET('/workspaces/{workspace}/traces/{trace}', { params: { path: { workspace: toValue(workspace), trace: toValue(id) } }, signal })),
    refetchInterval: ({ state }) => state.data && isOpen(state.data) ? (paused.value ? READ_WITHOUT_LIVE_MS : READ_MS) : false,
    staleTime: 60_000,
  })
  const open = computed(() => query.data.value === undefined || isOpen(query.data.value))
  // What has ended does not change any more.
  watch([() => toValue(workspace), () => toValue(id), open], ([ws, trace, wanted], _, onCleanup) => {
    if (!wanted)
      return
    const read = () => void query.refetch()
    onCleanup(live.subscribe({ workspace: ws, topic: 'trace', trace }, {
      events: (events) => {
        const newest = events.flatMap(event => event.type === 'trace' ? [event.trace] : []).at(-1)
        if (newest) {
          client.setQueryData(keys.trace(ws, trace), newest)
          if (!isOpen(newest))
            void client.invalidateQueries({ queryKey: keys.traces(ws) })
        }
      },
      started: read,
      reset: read,
    }))
  }, { immediate: true })
  return query
}
