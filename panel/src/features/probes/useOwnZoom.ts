// A chart that is zoomed by itself, while the page stays where it is: its own range, read once.
import type { MaybeRefOrGetter } from 'vue'
import type { Series } from '@/api/types'
import type { ResolvedRange } from '@/lib/time-range'
import { useQuery } from '@tanstack/vue-query'
import { computed, ref, toValue, watch } from 'vue'
import { keys } from '@/api/keys'
import { MIN_SPAN_MS } from '@/lib/time-range'

export function useOwnZoom(workspace: MaybeRefOrGetter<string>, probe: MaybeRefOrGetter<string>, page: MaybeRefOrGetter<ResolvedRange>, read: (range: ResolvedRange, signal: AbortSignal) => Promise<Series>) {
  const on = ref(false)
  const trail = ref<ResolvedRange[]>([])
  const range = computed(() => on.value ? trail.value.at(-1) : undefined)
  watch([() => toValue(probe), on], () => { trail.value = [] })

  const query = useQuery({
    queryKey: computed(() => [...keys.probe(toValue(workspace), toValue(probe)), 'own', range.value?.fromMs, range.value?.toMs]),
    queryFn: ({ signal }) => read(range.value ?? toValue(page), signal),
    enabled: computed(() => range.value !== undefined),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  })
  function zoom(fromMs: number, toMs: number): void {
    const grow = Math.max(0, MIN_SPAN_MS - (toMs - fromMs)) / 2
    trail.value = [...trail.value, { fromMs: fromMs - grow, toMs: toMs + grow }]
  }
  return {
    on,
    range,
    series: computed(() => range.value ? query.data.value : undefined),
    error: computed(() => range.value ? query.error.value : null),
    zoom,
    zoomAt: (factor: number, centreMs: number) => {
      const { fromMs, toMs } = range.value ?? toValue(page)
      zoom(centreMs - (centreMs - fromMs) * factor, centreMs + (toMs - centreMs) * factor)
    },
    back: () => { trail.value = trail.value.slice(0, -1) },
  }
}
