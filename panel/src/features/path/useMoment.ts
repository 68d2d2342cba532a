// The moment of the path as the URL has it, and the ways to change it.
import type { ComputedRef } from 'vue'
import type { Moment } from './moment'
import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { momentOf, momentQuery } from './moment'

export interface MomentControl {
  readonly moment: ComputedRef<Moment>
  readonly set: (part: Partial<Moment>) => void
}

export function useMoment(): MomentControl {
  const route = useRoute()
  const router = useRouter()
  const moment = computed<Moment>((before) => {
    const next = momentOf(route.query)
    return before && before.atMs === next.atMs && before.focusS === next.focusS && before.beforeMs === next.beforeMs ? before : next
  })
  return {
    moment,
    set: part => void router.push({ query: { ...route.query, ...momentQuery({ ...moment.value, ...part }) } }),
  }
}
