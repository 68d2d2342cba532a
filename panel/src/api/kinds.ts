// The declarations; they change only with the controller's version.
import type { Kind } from './types'
import { useQuery } from '@tanstack/vue-query'
import { api, unwrap } from './client'
import { keys } from './keys'

export function useKinds() {
  return useQuery<Kind[]>({ queryKey: keys.kinds, queryFn: async ({ signal }) => (await unwrap(api.GET('/kinds', { signal }))).items, staleTime: Number.POSITIVE_INFINITY })
}
