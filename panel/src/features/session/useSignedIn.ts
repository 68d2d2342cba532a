// After signing in, by whichever door: remember who it is and go where they wanted to.
import type { Me } from '@/api/types'
import { useQueryClient } from '@tanstack/vue-query'
import { useRoute, useRouter } from 'vue-router'
import { setCsrfToken } from '@/api/client'
import { keys } from '@/api/keys'
import { takeLook } from '@/app/theme'

/** Only a path of this panel: a link must not send a fresh session elsewhere. */
export function safeNext(next: unknown): string {
  return typeof next === 'string' && next.startsWith('/') && !next.startsWith('//') && !next.includes('\\') ? next : '/'
}

export function useSignedIn() {
  const client = useQueryClient()
  const route = useRoute()
  const router = useRouter()
  return async (me: Me, target?: string) => {
    setCsrfToken(me.csrf_token)
    client.setQueryData(keys.me, me)
    client.setQueryData(keys.setup, { needed: false })
    takeLook(me.preferences)
    await router.replace(target ?? safeNext(route.query.next))
  }
}
