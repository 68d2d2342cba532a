// The series of a probe over the page's range, kept current: live events only say which part has changed; that part is
// read again with the same step and put in. So late rows of an agent that catches up, a reconnect, and the bucket that
// is still filling are all the same case, and every drawn percentile is the server's.
import type { MaybeRefOrGetter, Ref } from 'vue'
import type { LiveClient } from '@/api/live'
import type { Series } from '@/api/types'
import type { ResolvedRange } from '@/lib/time-range'
import { onScopeDispose, shallowReadonly, shallowRef, toValue, watch } from 'vue'
import { mergeTail } from '@/charts/columns'

export interface SeriesSource {
  readonly read: (fromUs: number, toUs: number, by: { width: number } | { stepUs: number }, signal: AbortSignal) => Promise<Series>
  readonly live: LiveClient
}

export interface SeriesRequest {
  readonly workspace: string
  readonly probe: string
  readonly width: number
  /** Follows the clock. */
  readonly live: boolean
  /** Identifies the range in the URL; a new one is a new chart. */
  readonly range: string
}

export type SeriesView =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed', readonly error: unknown }
  | { readonly kind: 'ready', readonly series: Series, readonly stale: boolean }

export interface SeriesHandle {
  readonly view: Readonly<Ref<SeriesView>>
  readonly retry: () => void
  /** Rows that came while the chart was held. */
  readonly waiting: Readonly<Ref<number>>
}

const REFRESH_EVERY_MS = 250

/**
 * How often the whole range is read again, so that its summary keeps up and nothing can stay wrong for long: the longer
 * the range, the less one result changes it and the more it costs.
 */
export function wholeEveryMs({ fromMs, toMs }: ResolvedRange): number {
  return Math.min(30_000, Math.max(3_000, (toMs - fromMs) / 720))
}

export function useSeries(
  source: SeriesSource,
  request: MaybeRefOrGetter<SeriesRequest>,
  resolved: MaybeRefOrGetter<ResolvedRange>,
  held: MaybeRefOrGetter<boolean>,
): SeriesHandle {
  const view = shallowRef<SeriesView>({ kind: 'loading' })
  const waiting = shallowRef(0)
  let generation = 0
  let abort = new AbortController()
  let dirtyFromUs = Number.POSITIVE_INFINITY
  let reading = false
  let wholeAt = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  async function whole(): Promise<void> {
    const mine = generation
    const { fromMs, toMs } = toValue(resolved)
    dirtyFromUs = Number.POSITIVE_INFINITY
    wholeAt = Date.now()
    try {
      const series = await source.read(fromMs * 1000, toMs * 1000, { width: toValue(request).width }, abort.signal)
      if (mine === generation)
        view.value = { kind: 'ready', series, stale: false }
    }
    catch (error) {
      if (mine !== generation || abort.signal.aborted)
        return
      view.value = view.value.kind === 'ready' ? { ...view.value, stale: true } : { kind: 'failed', error }
    }
  }

  async function tail(): Promise<void> {
    if (view.value.kind !== 'ready')
      return
    const mine = generation
    const { series } = view.value
    const { fromMs, toMs } = toValue(resolved)
    const fromUs = Math.max(Math.floor(dirtyFromUs / series.step_us) * series.step_us, Math.floor(fromMs * 1000 / series.step_us) * series.step_us)
    dirtyFromUs = Number.POSITIVE_INFINITY
    // The range's end moves in steps of a second; a result may be younger. The server leaves out what has not begun.
    const toUs = Math.max(toMs, Date.now()) * 1000 + series.step_us
    try {
      const part = await source.read(fromUs, toUs, { stepUs: series.step_us }, abort.signal)
      if (mine === generation && view.value.kind === 'ready')
        view.value = { kind: 'ready', series: mergeTail(view.value.series, part, fromMs * 1000), stale: false }
    }
    catch {
      if (mine === generation && view.value.kind === 'ready') {
        dirtyFromUs = Math.min(dirtyFromUs, fromUs)
        view.value = { ...view.value, stale: true }
      }
    }
  }

  async function refresh(): Promise<void> {
    timer = undefined
    if (reading || toValue(held) || document.visibilityState === 'hidden' || dirtyFromUs === Number.POSITIVE_INFINITY)
      return
    reading = true
    waiting.value = 0
    await (Date.now() - wholeAt > wholeEveryMs(toValue(resolved)) ? whole() : tail())
    reading = false
    schedule()
  }

  function schedule(): void {
    if (timer === undefined && dirtyFromUs !== Number.POSITIVE_INFINITY)
      timer = setTimeout(() => void refresh(), REFRESH_EVERY_MS)
  }

  function follow({ workspace, probe }: SeriesRequest): () => void {
    return source.live.subscribe({ workspace, topic: 'probe', probe }, {
      events: (events) => {
        for (const event of events) {
          if (event.type !== 'samples')
            continue
          waiting.value += event.rows.at_us.length
          for (const at of event.rows.at_us)
            dirtyFromUs = Math.min(dirtyFromUs, at)
        }
        schedule()
      },
      // The range was read before following began: its last bucket may lack what came between.
      started: () => {
        const last = view.value.kind === 'ready' ? view.value.series.start_us.at(-1) ?? 0 : Date.now() * 1000
        dirtyFromUs = Math.min(dirtyFromUs, last)
        schedule()
      },
      reset: () => {
        dirtyFromUs = 0
        schedule()
      },
    })
  }

  function restart(): void {
    generation += 1
    abort.abort()
    abort = new AbortController()
    view.value = { kind: 'loading' }
    void whole()
  }

  watch(() => ({ ...toValue(request) }), (next, before, onCleanup) => {
    if (before && next.probe === before.probe && next.workspace === before.workspace && view.value.kind === 'ready') {
      // Another range or width of the same probe: the old picture stays until the new one is there.
      generation += 1
      abort.abort()
      abort = new AbortController()
      void whole()
    }
    else {
      restart()
    }
    if (next.live)
      onCleanup(follow(next))
  }, { immediate: true })

  const wake = () => { if (document.visibilityState === 'visible') schedule() }
  document.addEventListener('visibilitychange', wake)
  watch(() => toValue(held), (now) => { if (!now) schedule() })
  onScopeDispose(() => {
    generation += 1
    clearTimeout(timer)
    abort.abort()
    document.removeEventListener('visibilitychange', wake)
  })
  // Not deeply: a proxy around every number of a series would cost more than drawing it.
  return { view: shallowReadonly(view), retry: restart, waiting: shallowReadonly(waiting) }
}
