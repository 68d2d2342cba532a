// The worst grades and the route changes of the page's range.
import type { MaybeRefOrGetter, Ref } from 'vue'
import type { ResolvedRange } from '@/lib/time-range'
import type { TopologyTimeline } from '@/map/types'
import type { TopologySource } from './source'
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, toValue } from 'vue'
import { keys } from '@/api/keys'

export const BUCKETS = 160
const REFRESH_MS = 30_000

export interface TimelineRequest {
  readonly slug: string
  /** Names the range as the URL does. */
  readonly range: string
  readonly live: boolean
}

export function useTimeline(source: MaybeRefOrGetter<TopologySource>, request: MaybeRefOrGetter<TimelineRequest>, resolved: MaybeRefOrGetter<ResolvedRange>): { readonly data: Readonly<Ref<TopologyTimeline | undefined>>, readonly error: Readonly<Ref<unknown>>, readonly retry: () => void } {
  const query = useQuery({
    queryKey: computed(() => keys.topologyTimeline(toValue(request).slug, toValue(request).range)),
    queryFn: ({ signal }) => {
      const { fromMs, toMs } = toValue(resolved)
      return toValue(source).timeline(fromMs * 1000, toMs * 1000, BUCKETS, signal)
    },
    placeholderData: keepPreviousData,
    refetchInterval: () => toValue(request).live ? REFRESH_MS : false,
  })
  return { data: query.data, error: query.error, retry: () => void query.refetch() }
}
