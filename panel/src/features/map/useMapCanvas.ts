// Ties the renderer to the page: sizes, themes, layouts, and nodes that stay where somebody has put them.
import type { Ref } from 'vue'
import type { Focus } from '@/map/focus'
import type { LayoutInput, LayoutName } from '@/map/layout'
import type { Pins } from '@/map/pins'
import type { MapView } from '@/map/view'
import { onBeforeUnmount, onMounted, shallowRef, watch } from 'vue'
import { themeVersion } from '@/app/theme'
import { readLook } from '@/charts/look'
import { concentric } from '@/map/concentric'
import { layered } from '@/map/layered'
import { frameOf, layoutInput } from '@/map/layout'
import { withPins } from '@/map/pins'
import { browserRendering, MapRenderer, measured } from '@/map/renderer'
import { ForceRunner } from './forceRunner'

export interface MapCanvasInput {
  readonly view: MapView
  readonly layout: LayoutName
  readonly centre: number
  readonly marks: { nodes: Uint8Array, edges: Uint8Array } | null
  readonly changes: { nodes: Uint8Array, edges: Uint8Array } | null
  readonly focus: Focus | null
  readonly pins: Pins
}

export interface MapCanvasHandle {
  readonly renderer: Readonly<Ref<MapRenderer | null>>
  /** The force layout is still at work. */
  readonly settling: Readonly<Ref<boolean>>
}

function mapLook() {
  const look = readLook()
  return { grades: look.grades, text: look.text, muted: look.muted, line: look.line, quiet: look.hatch, surface: look.surface, raised: look.raised, accent: look.accent }
}

/** Nodes that are connected with nothing. */
function unlinked(input: LayoutInput): Uint8Array {
  const hidden = new Uint8Array(input.count).fill(1)
  input.source.forEach((s, e) => {
    hidden[s] = 0
    hidden[input.target[e] ?? 0] = 0
  })
  return hidden
}

export function useMapCanvas(host: Readonly<Ref<HTMLElement | null>>, base: Readonly<Ref<HTMLCanvasElement | null>>, over: Readonly<Ref<HTMLCanvasElement | null>>, input: () => MapCanvasInput): MapCanvasHandle {
  const renderer = shallowRef<MapRenderer | null>(null)
  const settling = shallowRef(false)
  const force = new ForceRunner(settling, placed => renderer.value?.stream(placed))
  let observer: ResizeObserver | undefined
  let size = { width: 0, height: 0 }
  let shown: { layout: LayoutName, view: MapView } | null = null

  function draw(): void {
    const { view, layout, centre, focus, pins } = input()
    if (!renderer.value || size.width === 0)
      return
    const given = layoutInput(view, frameOf(size.width, size.height))
    if (layout !== 'force')
      force.forget()
    const begun = performance.now()
    const placed = layout === 'force' ? force.place({ view, given, size, pins, selected: focus?.of ?? [] }) : layout === 'concentric' ? concentric(given, centre) : layered(given)
    measured(`nw-map-${layout}`, begun)
    const picture = { view, layout, ...withPins(placed, view, layout, size, pins), hidden: layout === 'force' ? unlinked(given) : null }
    // What is moved by hand moves, and not everything else around it.
    renderer.value.show(picture, shown?.layout !== layout, shown?.view === view ? undefined : focus?.chosen[0]?.node)
    shown = { layout, view }
    mark()
  }

  function mark(): void {
    const { marks, changes, focus } = input()
    renderer.value?.mark(marks, changes)
    renderer.value?.setFocus(focus)
  }

  function resize(): void {
    const box = host.value
    if (!box || !renderer.value)
      return
    const next = { width: box.clientWidth, height: box.clientHeight }
    if (next.width === size.width && next.height === size.height)
      return
    size = next
    renderer.value.resize(size.width, size.height, devicePixelRatio)
    draw()
  }

  onMounted(() => {
    if (!host.value || !base.value || !over.value)
      return
    renderer.value = new MapRenderer(base.value, over.value, mapLook(), browserRendering())
    resize()
    observer = new ResizeObserver(resize)
    observer.observe(host.value)
    // Names are drawn again with their font when it has come.
    void document.fonts?.ready.then(() => renderer.value?.setLook(mapLook()))
  })
  onBeforeUnmount(() => {
    observer?.disconnect()
    force.halt()
    renderer.value?.stop()
    renderer.value = null
  })
  watch([() => input().view, () => input().layout, () => input().centre, () => input().pins], draw)
  watch([() => input().marks, () => input().changes], mark)
  watch(() => input().focus, focus => renderer.value?.setFocus(focus))
  watch(themeVersion, () => renderer.value?.setLook(mapLook()), { flush: 'post' })
  return { renderer, settling }
}
