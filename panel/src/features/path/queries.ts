// What the path view asks for, and how it keeps up: a live event only says that something is new; what is shown is read
// again, at most every two seconds and never while the page is hidden.
import type { MaybeRefOrGetter } from 'vue'
import type { Subscription } from '@/api/live'
import type { ResolvedRange } from '@/lib/time-range'
import type { Moment } from './moment'
import type { Path, PathChanges, PathDiff } from './types'
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, onScopeDispose, toValue, watch } from 'vue'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { useLive } from '@/app/context'

type Text = MaybeRefOrGetter<string>
const AHEAD_US = 3_600_000_000
const path = (workspace: Text, probe: Text) => ({ workspace: toValue(workspace), probe: toValue(probe) })
const us = (ms: number) => Math.floor(ms * 1000)
const atEnd = (ms: number) => Math.floor(ms) * 1000 + 999

export function usePath(workspace: Text, probe: Text, moment: MaybeRefOrGetter<Moment>, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery<Path>({
    queryKey: computed(() => [...keys.path(toValue(workspace), toValue(probe)), toValue(moment).atMs ?? 'now', toValue(moment).focusS]),
    queryFn: ({ signal }) => {
      const { atMs, focusS } = toValue(moment)
      return unwrap(api.GET('/workspaces/{workspace}/probes/{probe}/path', { params: { path: path(workspace, probe), query: { window: focusS, ...(atMs === null ? {} : { at: atEnd(atMs) }) } }, signal }))
    },
    enabled: computed(() => toValue(enabled)),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  })
}

export function usePathDiff(workspace: Text, probe: Text, moment: MaybeRefOrGetter<Moment>) {
  return useQuery<PathDiff>({
    queryKey: computed(() => [...keys.path(toValue(workspace), toValue(probe)), 'diff', toValue(moment).beforeMs, toValue(moment).atMs ?? 'now', toValue(moment).focusS]),
    queryFn: ({ signal }) => {
      const { atMs, focusS, beforeMs } = toValue(moment)
      return unwrap(api.GET('/workspaces/{workspace}/probes/{probe}/path/diff', { params: { path: path(workspace, probe), query: { before: atEnd(beforeMs ?? 0), after: atEnd(atMs ?? Date.now()), window: focusS } }, signal }))
    },
    enabled: computed(() => toValue(moment).beforeMs !== null),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  })
}

/** `range` identifies it in the URL; one that follows the clock is asked for beyond now. */
export function usePathChanges(workspace: Text, probe: Text, range: Text, resolved: MaybeRefOrGetter<ResolvedRange>) {
  return useQuery<PathChanges>({
    queryKey: computed(() => [...keys.pathChanges(toValue(workspace), toValue(probe)), toValue(range)]),
    queryFn: ({ signal }) => {
      const { fromMs, toMs } = toValue(resolved)
      const ahead = toValue(range).endsWith('|now') ? AHEAD_US : 0
      return unwrap(api.GET('/workspaces/{workspace}/probes/{probe}/path/changes', { params: { path: path(workspace, probe), query: { from: us(fromMs), to: us(toMs) + ahead } }, signal }))
    },
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  })
}

const EVERY_MS = 2000

/**
 * Calls `refresh` soon after something has come, `changed` when it was a change of the route, until the scope ends. What
 * comes while an answer is on its way is read after it: a question that interrupts the one before gets no answer at all
 * where answers take longer than results.
 */
export function useFollow(subscription: MaybeRefOrGetter<Subscription | null>, refresh: () => Promise<unknown>, changed: () => unknown = () => {}): void {
  const live = useLive()
  let timer: ReturnType<typeof setTimeout> | undefined
  let nextMs = 0
  let asking = false
  let dirty = false
  let ended = false
  async function ask(): Promise<void> {
    timer = undefined
    dirty = false
    asking = true
    await refresh().catch(() => {}) // the query keeps its own error, and shows it
    asking = false
    nextMs = Date.now() + EVERY_MS
    if (dirty)
      due()
  }
  function due(): void {
    dirty = true
    if (!asking && !ended && timer === undefined && document.visibilityState !== 'hidden')
      timer = setTimeout(() => void ask(), Math.max(0, nextMs - Date.now()))
  }
  const wake = () => { if (dirty && document.visibilityState === 'visible') due() }
  document.addEventListener('visibilitychange', wake)
  watch(() => toValue(subscription), (spec, _, onCleanup) => {
    if (spec)
      onCleanup(live.subscribe(spec, {
        events: (events) => {
          due()
          if (events.some(event => event.type === 'route_change'))
            changed()
        },
        started: due,
        reset: () => { due(); changed() },
      }))
  }, { immediate: true })
  onScopeDispose(() => {
    ended = true
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', wake)
  })
}
