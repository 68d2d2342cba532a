// What every component may ask for: the live connection, the signed-in user, the open workspace and what is allowed
// in it, the zone of times, and one clock.
import type { ComputedRef, InjectionKey, Ref } from 'vue'
import type { Me, Membership, Permission, Preferences } from '@/api/types'
import type { LiveClient } from '@/api/live'
import { useQuery } from '@tanstack/vue-query'
import { computed, inject, readonly, ref } from 'vue'
import { useRoute } from 'vue-router'
import { api, setCsrfToken, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { ApiError } from '@/api/problem'

export const LIVE: InjectionKey<LiveClient> = Symbol('live')

export function useLive(): LiveClient {
  const live = inject(LIVE)
  if (!live)
    throw new Error('no live client is provided')
  return live
}

export async function readMe(): Promise<Me | null> {
  try {
    const me = await unwrap(api.GET('/session'))
    setCsrfToken(me.csrf_token)
    return me
  }
  catch (error) {
    if (error instanceof ApiError && error.status === 401)
      return null
    throw error
  }
}

export function useMe(): { me: ComputedRef<Me | null> } {
  const { data } = useQuery({ queryKey: keys.me, queryFn: readMe, staleTime: 60_000 })
  return { me: computed(() => data.value ?? null) }
}

export interface WorkspaceContext {
  readonly slug: ComputedRef<string>
  readonly membership: ComputedRef<Membership | null>
  readonly can: (permission: Permission) => boolean
}

export function useWorkspace(): WorkspaceContext {
  const route = useRoute()
  const { me } = useMe()
  const slug = computed(() => typeof route.params.slug === 'string' ? route.params.slug : '')
  const membership = computed(() => me.value?.memberships.find(entry => entry.workspace.slug === slug.value) ?? null)
  return { slug, membership, can: permission => membership.value?.permissions.includes(permission) ?? false }
}

export function usePreferences(): ComputedRef<Preferences> {
  const { me } = useMe()
  return computed(() => me.value?.preferences ?? {})
}

const nowRef = ref(Date.now())
let ticking = false

/** The wall clock, once a second, and still while the page is hidden. */
export function useNow(): Readonly<Ref<number>> {
  if (!ticking) {
    ticking = true
    nowRef.value = Date.now()
    setInterval(() => {
      if (document.visibilityState === 'visible')
        nowRef.value = Date.now()
    }, 1000)
    document.addEventListener('visibilitychange', () => { nowRef.value = Date.now() })
  }
  return readonly(nowRef)
}
