// The single packets of the shown runs, as dots: only where the runs lie at least three pixels apart, each in a bucket
// of its own. The server has each packet within 1 %.
import type { MaybeRefOrGetter } from 'vue'
import type { Kind, Series } from '@/api/types'
import type { Dots } from '@/charts/paint'
import type { ResolvedRange } from '@/lib/time-range'
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, toValue } from 'vue'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'

const APART_PX = 3
const RUNS_MAX = 500

export function packetsFit(series: Pick<Series, 'resolution' | 'step_us' | 'count' | 'runs'>, { fromMs, toMs }: ResolvedRange, widthPx: number): boolean {
  const buckets = (toMs - fromMs) * 1000 / series.step_us
  return series.resolution === 'raw' && series.count > 0 && series.count <= RUNS_MAX && widthPx / buckets >= APART_PX && series.runs.every(runs => runs <= 1)
}

export function usePackets(workspace: MaybeRefOrGetter<string>, series: MaybeRefOrGetter<Series>, kind: MaybeRefOrGetter<Kind>, range: MaybeRefOrGetter<ResolvedRange>, widthPx: MaybeRefOrGetter<number>) {
  const fits = computed(() => toValue(kind).presentation.distribution !== '' && packetsFit(toValue(series), toValue(range), toValue(widthPx)))
  const query = useQuery({
    // A new run is a new picture; how much of it there is tells the runs that came late.
    queryKey: computed(() => {
      const { probe, start_us, runs } = toValue(series)
      return [...keys.probe(toValue(workspace), probe), 'packets', start_us[0], start_us.at(-1), runs.reduce((sum, n) => sum + n, 0)]
    }),
    queryFn: ({ signal }) => {
      const { probe, from_us, to_us } = toValue(series)
      return unwrap(api.GET('/workspaces/{workspace}/probes/{probe}/samples', { params: { path: { workspace: toValue(workspace), probe }, query: { from: from_us, to: to_us, values: true, limit: RUNS_MAX } }, signal }))
    },
    enabled: fits,
    placeholderData: keepPreviousData,
    // A live chart asks once a run: nothing of that is wanted again.
    gcTime: 0,
  })
  return computed<Dots | null>(() => {
    const samples = fits.value ? query.data.value : undefined
    if (!samples?.values)
      return null
    const { step_us } = toValue(series)
    // In the middle of its bucket, where the median and the bands of the run are.
    return { seconds: samples.rows.at_us.map(us => (Math.floor(us / step_us) + 0.5) * step_us / 1e6), values: samples.values[toValue(kind).presentation.distribution] ?? [] }
  })
}
