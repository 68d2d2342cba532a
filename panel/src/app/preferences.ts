// Changes of single preferences from anywhere: shown at once, kept by the controller, taken back when it refuses.
import type { Me, Preferences } from '@/api/types'
import { useQueryClient } from '@tanstack/vue-query'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { useToasts } from '@/ui/toast'

export function useSetPreference(): (part: Partial<Preferences>) => Promise<void> {
  const client = useQueryClient()
  const toasts = useToasts()
  return async (part) => {
    const before = client.getQueryData<Me | null>(keys.me)
    if (!before)
      return
    client.setQueryData<Me>(keys.me, { ...before, preferences: { ...before.preferences, ...part } })
    try {
      client.setQueryData(keys.me, await unwrap(api.PATCH('/account', { body: { preferences: part } })))
    }
    catch (error) {
      client.setQueryData(keys.me, before)
      toasts.failed('The preference was not kept', error)
    }
  }
}
