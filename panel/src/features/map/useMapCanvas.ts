// Ties the renderer to the page: sizes, themes, layouts (the force layout in a worker), pointer and keyboard.
import type { Ref } from 'vue'
import type { Focus } from '@/map/focus'
import type { ForceMessage } from '@/map/force.worker'
import type { ForceInput } from '@/map/force'
import type { LayoutInput, LayoutName, Placed } from '@/map/layout'
import type { MapView } from '@/map/view'
import { onBeforeUnmount, onMounted, shallowRef, watch } from 'vue'
import { themeVersion } from '@/app/theme'
import { readLook } from '@/charts/look'
import { concentric } from '@/map/concentric'
import { layered } from '@/map/layered'
import { frameOf, layoutInput } from '@/map/layout'
import { browserRendering, MapRenderer, measured } from '@/map/renderer'

export interface MapCanvasInput {
  readonly view: MapView
  readonly layout: LayoutName
  readonly centre: number
  readonly marks: { nodes: Uint8Array, edges: Uint8Array } | null
  readonly changes: { nodes: Uint8Array, edges: Uint8Array } | null
  readonly focus: Focus | null
}

export interface MapCanvasHandle {
  readonly renderer: Readonly<Ref<MapRenderer | null>>
  /** The force layout is still at work. */
  readonly settling: Readonly<Ref<boolean>>
}

const FORCE_GAP = 26
const GROUP_SIZE = 46
const NODE_SIZE = 8

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
  let worker: Worker | null = null
  let observer: ResizeObserver | undefined
  let size = { width: 0, height: 0 }
  let shownLayout = ''
  let forced = { structure: '', placed: null as Placed | null, view: null as MapView | null }

  function stopForce(): void {
    worker?.terminate()
    worker = null
    settling.value = false
  }

  /** Begins where the nodes are now, so that what is known stays about where it was. */
  function startForce(view: MapView, given: LayoutInput): Placed {
    const structure = `${view.nodes.map(node => node.key).join()}|${given.source.join()}|${given.target.join()}`
    if (forced.structure === structure && forced.placed && !settling.value) {
      forced.view = view
      return forced.placed
    }
    stopForce()
    const seed = layered(given).positions
    const before = forced.view
    const { focus } = input()
    if (before && forced.placed) {
      const { positions } = forced.placed
      view.nodes.forEach((node, i) => {
        const at = before.index.get(node.key)
        if (at !== undefined)
          seed.set(positions.subarray(at * 2, at * 2 + 2), i * 2)
      })
    }
    const placed: Placed = { positions: seed, gap: FORCE_GAP, room: null, columnGap: FORCE_GAP * 4 }
    forced = { structure, placed, view }
    settling.value = true
    worker = new Worker(new URL('../../map/force.worker.ts', import.meta.url), { type: 'module' })
    worker.onmessage = ({ data }: MessageEvent<ForceMessage>) => {
      forced.placed = { ...placed, positions: data.positions }
      renderer.value?.stream(forced.placed)
      if (data.done)
        stopForce()
    }
    const room = Float32Array.from(view.nodes, node => node.kind === 'group' ? GROUP_SIZE : NODE_SIZE)
    const fixed = (before ? focus?.of ?? [] : []).flatMap(i => before?.index.has(view.nodes[i]?.key ?? '') ? [i, seed[i * 2] ?? 0, seed[i * 2 + 1] ?? 0] : [])
    worker.postMessage({ count: given.count, band: given.band, source: given.source, target: given.target, seed, width: size.width, height: size.height, size: room, fixed: Float64Array.from(fixed) } satisfies ForceInput)
    return placed
  }

  function draw(): void {
    const { view, layout, centre, focus } = input()
    if (!renderer.value || size.width === 0)
      return
    const given = layoutInput(view, frameOf(size.width, size.height))
    if (layout !== 'force') {
      stopForce()
      forced = { structure: '', placed: null, view: null }
    }
    const begun = performance.now()
    const placed = layout === 'force' ? startForce(view, given) : layout === 'concentric' ? concentric(given, centre) : layered(given)
    measured(`nw-map-${layout}`, begun)
    renderer.value.show({ view, layout, placed, hidden: layout === 'force' ? unlinked(given) : null }, shownLayout !== layout, focus?.chosen[0]?.node)
    shownLayout = layout
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
    stopForce()
    renderer.value?.stop()
    renderer.value = null
  })
  watch([() => input().view, () => input().layout, () => input().centre], draw)
  watch([() => input().marks, () => input().changes], mark)
  watch(() => input().focus, focus => renderer.value?.setFocus(focus))
  watch(themeVersion, () => renderer.value?.setLook(mapLook()), { flush: 'post' })
  return { renderer, settling }
}
