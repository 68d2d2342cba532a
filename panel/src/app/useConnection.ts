// Whether what is on the page is current: live events arrive, the browser is online. One state for all who ask.
import type { ComputedRef, Ref } from 'vue'
import type { LiveClient } from '@/api/live'
import { computed, readonly, ref } from 'vue'
import { useLive, useNow } from './context'

interface Shared {
  readonly state: Ref<LiveClient['state']>
  readonly failures: Ref<number>
  readonly offline: Ref<boolean>
  /** Since when nothing has come, in epoch milliseconds. */
  readonly sinceMs: Ref<number | null>
}
const shared = new WeakMap<LiveClient, Shared>()

function sharedOf(live: LiveClient): Shared {
  const known = shared.get(live)
  if (known)
    return known
  const made: Shared = { state: ref(live.state), failures: ref(0), offline: ref(typeof navigator !== 'undefined' && navigator.onLine === false), sinceMs: ref(null) }
  live.onState((next) => {
    if (next.kind === 'waiting')
      made.failures.value += 1
    else if (next.kind === 'open' || next.kind === 'idle')
      made.failures.value = 0
    if (next.kind === 'open' || next.kind === 'idle')
      made.sinceMs.value = null
    else
      made.sinceMs.value ??= Date.now()
    made.state.value = next
  })
  window.addEventListener('online', () => { made.offline.value = false })
  window.addEventListener('offline', () => { made.offline.value = true })
  shared.set(live, made)
  return made
}

export interface Connection {
  /** Updates do not arrive, and not only for a moment. */
  readonly paused: ComputedRef<boolean>
  readonly offline: Readonly<Ref<boolean>>
  readonly sinceMs: Readonly<Ref<number | null>>
  /** Until the next attempt, in seconds; null while one is under way. */
  readonly retryIn: ComputedRef<number | null>
  readonly retry: () => void
}

export function useConnection(): Connection {
  const live = useLive()
  const now = useNow()
  const { state, failures, offline, sinceMs } = sharedOf(live)
  return {
    // A single quick reconnect is nobody's business.
    paused: computed(() => offline.value || (failures.value > 1 && state.value.kind !== 'open')),
    offline: readonly(offline),
    sinceMs: readonly(sinceMs),
    retryIn: computed(() => state.value.kind === 'waiting' ? Math.max(0, Math.ceil((state.value.untilMs - now.value) / 1000)) : null),
    retry: () => live.retryNow(),
  }
}
