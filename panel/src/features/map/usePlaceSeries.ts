// Loss and delay over the page's range, of a node or a link that is selected.
import type { MaybeRefOrGetter, Ref } from 'vue'
import type { Place } from '@/map/place'
import type { TopologySeries } from '@/map/types'
import type { ResolvedRange } from '@/lib/time-range'
import type { TopologySource } from './source'
import type { TimelineRequest } from './useTimeline'
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue } from 'vue'
import { keys } from '@/api/keys'

const REFRESH_MS = 60_000

export function usePlaceSeries(source: MaybeRefOrGetter<TopologySource>, place: MaybeRefOrGetter<Place | null>, request: MaybeRefOrGetter<TimelineRequest>, resolved: MaybeRefOrGetter<ResolvedRange>): { readonly data: Readonly<Ref<TopologySeries | undefined>>, readonly error: Readonly<Ref<unknown>>, readonly retry: () => void } {
  const query = useQuery({
    queryKey: computed(() => keys.topologySeries(toValue(request).slug, toValue(place)?.id ?? '', toValue(request).range)),
    queryFn: ({ signal }) => {
      const { fromMs, toMs } = toValue(resolved)
      const { id = '', probes = [] } = toValue(place) ?? {}
      return toValue(source).series(id, probes, fromMs * 1000, toMs * 1000, signal)
    },
    enabled: () => toValue(place) !== null,
    refetchInterval: () => toValue(request).live ? REFRESH_MS : false,
  })
  return { data: query.data, error: query.error, retry: () => void query.refetch() }
}
