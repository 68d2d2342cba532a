// Events of a probe over the page's range; read again when the agent comes or goes, when the probe is edited, and when
// somebody notes something.
import type { MaybeRefOrGetter } from 'vue'
import type { Probe, ProbeEvents } from '@/api/types'
import type { ResolvedRange } from '@/lib/time-range'
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, toValue } from 'vue'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { inMicroseconds } from '@/lib/time-range'

/** A range that follows the clock is asked for beyond now, so that it does not have to be read again as it moves. */
const AHEAD_US = 3_600_000_000

export function useProbeEvents(workspace: MaybeRefOrGetter<string>, id: MaybeRefOrGetter<string>, probe: MaybeRefOrGetter<Probe | undefined>, range: MaybeRefOrGetter<string>, resolved: MaybeRefOrGetter<ResolvedRange>) {
  return useQuery<ProbeEvents>({
    queryKey: computed(() => [...keys.events(toValue(workspace), toValue(id)), toValue(range), toValue(probe)?.revision, toValue(probe)?.agent.status]),
    queryFn: ({ signal }) => {
      const { from, to } = inMicroseconds(toValue(resolved))
      return unwrap(api.GET('/workspaces/{workspace}/probes/{probe}/events', {
        params: { path: { workspace: toValue(workspace), probe: toValue(id) }, query: { from, to: to + AHEAD_US } }, signal,
      }))
    },
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  })
}
