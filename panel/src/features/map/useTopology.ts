// The network at a moment, or now and kept current. Following starts before reading, so that no change falls between; a
// change that does not go on from what is known makes everything be read again.
import type { MaybeRefOrGetter, Ref } from 'vue'
import type { Topology, TopologyDelta } from '@/map/types'
import type { TopologySource } from './source'
import { onScopeDispose, shallowReadonly, shallowRef, toValue, watch } from 'vue'
import { applyDelta } from '@/map/delta'

export type TopologyView =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed', readonly error: unknown }
  /** `error`: reading it again has failed. `reading`: another moment is on its way. */
  | { readonly kind: 'ready', readonly topology: Topology, readonly readAtMs: number, readonly error: unknown, readonly reading: boolean }

export interface TopologyHandle {
  readonly view: Readonly<Ref<TopologyView>>
  readonly retry: () => void
}

const AGAIN_MS = 2_000

/** `atUs`: undefined for nothing at all, null for now. */
export function useTopology(source: MaybeRefOrGetter<TopologySource>, atUs: MaybeRefOrGetter<number | null | undefined>): TopologyHandle {
  const view = shallowRef<TopologyView>({ kind: 'loading' })
  let abort = new AbortController()
  let reading = false
  let again = false
  let early: TopologyDelta[] = []
  let readAt = Number.NEGATIVE_INFINITY
  let timer: ReturnType<typeof setTimeout> | undefined

  async function read(): Promise<void> {
    const mine = abort
    const at = toValue(atUs)
    if (at === undefined)
      return
    if (reading) {
      again = true
      return
    }
    reading = true
    readAt = Date.now()
    if (view.value.kind === 'ready')
      view.value = { ...view.value, reading: true }
    try {
      const topology = await toValue(source).read(at, mine.signal)
      if (mine !== abort)
        return
      reading = false
      take(topology)
    }
    catch (error) {
      if (mine !== abort)
        return
      reading = false
      view.value = view.value.kind === 'ready' ? { ...view.value, error, reading: false } : { kind: 'failed', error }
    }
    if (again) {
      again = false
      soon()
    }
  }

  function take(topology: Topology): void {
    const waiting = early
    early = []
    // The same generation is the same network: nothing is built or drawn anew for it.
    const known = view.value.kind === 'ready' && topology.live && view.value.topology.live && view.value.topology.generation === topology.generation ? view.value.topology : topology
    view.value = { kind: 'ready', topology: known, readAtMs: Date.now(), error: null, reading: false }
    apply(waiting)
  }

  function apply(deltas: readonly TopologyDelta[]): void {
    if (reading || view.value.kind !== 'ready') {
      early.push(...deltas)
      return
    }
    let { topology } = view.value
    for (const delta of deltas) {
      const applied = applyDelta(topology, delta)
      if (applied.kind === 'gap') {
        soon()
        return
      }
      if (applied.kind === 'applied')
        topology = applied.topology
    }
    if (topology !== view.value.topology)
      view.value = { ...view.value, topology, readAtMs: Date.now(), error: null }
  }

  /** Not more often than every two seconds: a server in trouble must not be asked in a circle. */
  function soon(): void {
    clearTimeout(timer)
    timer = setTimeout(() => void read(), Math.max(0, readAt + AGAIN_MS - Date.now()))
  }

  watch([() => toValue(source), () => toValue(atUs)], ([now, at], [before], onCleanup) => {
    abort.abort()
    abort = new AbortController()
    clearTimeout(timer)
    reading = false
    again = false
    early = []
    // Another workspace's map must not stay in this one's place; another moment's may, until it has come.
    if (before !== undefined && before !== now)
      view.value = { kind: 'loading' }
    if (at === undefined) {
      view.value = { kind: 'loading' }
      return
    }
    if (at === null) {
      // A read that began before following had may lack a change that nothing will tell of.
      const again = () => void read()
      onCleanup(now.follow({ started: again, deltas: apply, reset: again }))
    }
    void read()
  }, { immediate: true })

  onScopeDispose(() => {
    abort.abort()
    clearTimeout(timer)
  })
  return { view: shallowReadonly(view), retry: () => void read() }
}
