// What a page asks for over its time range: again every ten seconds while the range follows the clock, and with the
// answer before still shown while another range is on its way.
import type { ComputedRef } from 'vue'
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { inMicroseconds } from '@/lib/time-range'
import { useTimeRange } from './useTimeRange'

const REFRESH_MS = 10_000

export function useRangeQuery<T>(key: ComputedRef<readonly unknown[]>, read: (query: { from: number, to: number }, signal: AbortSignal) => Promise<T>) {
  const { range, resolved, live } = useTimeRange()
  return useQuery<T>({
    queryKey: computed(() => [...key.value, range.value.from, range.value.to]),
    queryFn: ({ signal }) => read(inMicroseconds(resolved.value), signal),
    placeholderData: keepPreviousData,
    refetchInterval: () => live.value ? REFRESH_MS : false,
  })
}
