// Nodes that were put somewhere, of the open workspace and layout: kept on this device, with the way back.
import type { ComputedRef, MaybeRefOrGetter, Ref } from 'vue'
import type { LayoutName } from '@/map/layout'
import type { Pins, Place } from '@/map/pins'
import type { MapView } from '@/map/view'
import type { KeptPin, KeptPins } from './pinStore'
import { computed, onScopeDispose, shallowRef, toValue, watch } from 'vue'
import { dayOf, noPins, PINS_MAX, PINS_STORED, readPins, writePins } from './pinStore'

const STEPS_MAX = 50
/** Steps by keyboard that follow one another so closely are one. */
const TOGETHER_MS = 1_500

export interface PinControl {
  readonly pins: ComputedRef<Pins>
  /** Of those the ones that are drawn now. */
  readonly drawn: ComputedRef<readonly string[]>
  readonly canUndo: ComputedRef<boolean>
  /** `step`: one of many small ones, by keyboard. */
  readonly pin: (places: readonly (readonly [key: string, place: Place])[], step?: boolean) => void
  readonly release: (keys: readonly string[]) => void
  /** Answers with the way back from it. */
  readonly releaseAll: () => () => void
  readonly undo: () => void
}

interface Step { readonly layout: LayoutName, readonly before: ReadonlyMap<string, KeptPin>, readonly keys: string, readonly atMs: number }

export interface PinSources {
  readonly workspace: MaybeRefOrGetter<string>
  readonly layout: MaybeRefOrGetter<LayoutName>
  /** Null while it is not known; a map of the past says nothing about what there is. */
  readonly view: Readonly<Ref<MapView | null>>
  readonly live: MaybeRefOrGetter<boolean>
  readonly storage?: Storage
  readonly now?: () => number
  /** The device keeps nothing: said once. */
  readonly failed: (error: unknown) => void
}

export function usePins({ workspace, layout, view, live, storage = localStorage, now = Date.now, failed }: PinSources): PinControl {
  const kept = shallowRef<KeptPins>(noPins())
  const steps = shallowRef<readonly Step[]>([])
  let told = false

  const guarded = (run: () => void) => {
    try {
      run()
    }
    catch (error) {
      if (!told)
        failed(error)
      told = true
    }
  }
  const read = () => guarded(() => { kept.value = readPins(storage, toValue(workspace), dayOf(now())) })

  function put(of: LayoutName, next: ReadonlyMap<string, KeptPin>): void {
    kept.value = { ...kept.value, [of]: next }
    guarded(() => writePins(storage, toValue(workspace), kept.value))
  }
  function change(keys: readonly string[], next: ReadonlyMap<string, KeptPin>, step: boolean): void {
    const of = toValue(layout)
    const last = steps.value.at(-1)
    const made: Step = { layout: of, before: kept.value[of], keys: step ? keys.join() : '', atMs: now() }
    const goesOn = step && last?.layout === of && last.keys === made.keys && made.atMs - last.atMs < TOGETHER_MS
    steps.value = goesOn ? [...steps.value.slice(0, -1), { ...last, atMs: made.atMs }] : [...steps.value, made].slice(-STEPS_MAX)
    put(of, next)
  }

  /** What is there today is noted, so that only what stays away is forgotten. */
  function note(): void {
    const drawn = view.value
    const today = dayOf(now())
    if (!drawn || !toValue(live))
      return
    const of = toValue(layout)
    const stale = [...kept.value[of]].filter(([key, pin]) => pin.day !== today && (drawn.index.has(key) || drawn.graph.index.has(key)))
    if (stale.length > 0)
      put(of, new Map([...kept.value[of], ...stale.map(([key, pin]) => [key, { ...pin, day: today }] as const)]))
  }

  watch(() => toValue(workspace), () => {
    steps.value = []
    kept.value = noPins()
    read()
  }, { immediate: true })
  watch([view, () => toValue(layout), kept], note, { immediate: true })
  // Another page of this browser has put something elsewhere.
  const onStorage = (event: StorageEvent) => {
    if (event.key === PINS_STORED || event.key === null)
      read()
  }
  window.addEventListener('storage', onStorage)
  onScopeDispose(() => window.removeEventListener('storage', onStorage))

  const pins = computed(() => kept.value[toValue(layout)])

  return {
    pins,
    drawn: computed(() => [...pins.value.keys()].filter(key => view.value?.index.has(key))),
    canUndo: computed(() => steps.value.some(step => step.layout === toValue(layout))),
    pin: (places, step = false) => {
      const next = new Map(pins.value)
      for (const [key, place] of places) {
        next.delete(key)
        next.set(key, { x: place.x, y: place.y, day: dayOf(now()) })
      }
      change(places.map(([key]) => key), new Map([...next].slice(-PINS_MAX)), step)
    },
    release: (keys) => {
      const gone = new Set(keys)
      change(keys, new Map([...pins.value].filter(([key]) => !gone.has(key))), false)
    },
    releaseAll: () => {
      const [of, before] = [toValue(layout), pins.value]
      change([], new Map(), false)
      return () => put(of, before)
    },
    undo: () => {
      const at = steps.value.findLastIndex(step => step.layout === toValue(layout))
      const step = steps.value[at]
      if (!step)
        return
      steps.value = steps.value.filter((_, i) => i !== at)
      put(step.layout, step.before)
    },
  }
}
