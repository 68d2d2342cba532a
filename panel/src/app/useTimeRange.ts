// The time range of the page. Its only state is the URL: every change is a history entry, every view is a link.
import type { ComputedRef } from 'vue'
import type { ResolvedRange, TimeRange } from '@/lib/time-range'
import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { absoluteRange, DEFAULT_RANGE, followsNow, fromQuery, resolve, sameRange, shift, spanExpression, toQuery, zoom } from '@/lib/time-range'
import { useNow } from './context'

export interface TimeRangeControl {
  readonly range: ComputedRef<TimeRange>
  readonly resolved: ComputedRef<ResolvedRange>
  /** Follows the clock and takes live results. */
  readonly live: ComputedRef<boolean>
  readonly compare: ComputedRef<boolean>
  readonly set: (range: TimeRange) => void
  readonly setAbsolute: (fromMs: number, toMs: number) => void
  readonly shift: (direction: -1 | 1) => void
  readonly zoom: (factor: number, centreMs?: number) => void
  readonly setLive: (live: boolean) => void
  readonly setQuery: (name: string, value: string | undefined) => void
}

export function useTimeRange(): TimeRangeControl {
  const route = useRoute()
  const router = useRouter()
  const now = useNow()

  const range = computed(() => fromQuery(route.query, route.meta.range ?? DEFAULT_RANGE))
  const live = computed(() => followsNow(range.value))
  const resolved = computed(() => resolve(range.value, live.value ? now.value : Date.now()))

  function setQuery(name: string, value: string | undefined): void {
    // The router leaves out what is undefined.
    void router.push({ query: { ...route.query, [name]: value } })
  }
  function set(next: TimeRange): void {
    if (!sameRange(next, range.value) || route.query.from === undefined)
      void router.push({ query: { ...route.query, ...toQuery(next) } })
  }
  return {
    range,
    resolved,
    live,
    compare: computed(() => route.query.compare === '1'),
    set,
    setAbsolute: (fromMs, toMs) => set(absoluteRange(fromMs, toMs)),
    shift: direction => set(shift(range.value, direction, Date.now())),
    zoom: (factor, centreMs) => set(zoom(range.value, factor, Date.now(), centreMs)),
    setLive: (on) => {
      const { fromMs, toMs } = resolve(range.value, Date.now())
      set(on ? { from: `now-${spanExpression(toMs - fromMs)}`, to: 'now' } : absoluteRange(fromMs, toMs))
    },
    setQuery,
  }
}
