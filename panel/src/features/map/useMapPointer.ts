// Pointers on the map: pointing, pressing, moving the ground, two fingers, and nodes in the hand.
import type { Ref } from 'vue'
import type { MapRenderer } from '@/map/renderer'
import type { Place } from '@/map/pins'
import type { MapView } from '@/map/view'
import { ref } from 'vue'

export interface MapPointerHost {
  readonly view: () => MapView
  /** Drawn nodes that are selected. */
  readonly selected: () => readonly number[]
  /** A node that goes to where one presses next; empty: none. */
  readonly placing: () => string
  readonly point: (key: string) => void
  readonly choose: (key: string, add: boolean) => void
  readonly pin: (places: readonly (readonly [string, Place])[]) => void
}

const CLICK_PX = 3
interface Point { readonly x: number, readonly y: number }
/** What is pressed: nothing more is done with it after Escape. */
type Grip = { readonly kind: 'ground' } | { readonly kind: 'node', readonly key: string, readonly off: Point } | { readonly kind: 'spent' }

export function useMapPointer(stage: Readonly<Ref<HTMLElement | null>>, renderer: Readonly<Ref<MapRenderer | null>>, host: MapPointerHost) {
  const grabbing = ref(false)
  const pointing = ref(false)
  /** Fingers and buttons that are down, where they were last. */
  const pointers = new Map<number, Point>()
  let moved = 0
  let grip: Grip = { kind: 'ground' }

  function place(event: MouseEvent): Point {
    const box = stage.value?.getBoundingClientRect()
    return { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) }
  }
  const keyOf = (i: number | undefined) => host.view().nodes[i ?? -1]?.key ?? ''

  /** A finger is as wide as several nodes: it moves the ground, and of nodes only what is selected. */
  function gripAt(event: PointerEvent, at: Point): Grip {
    const i = renderer.value?.grasp(at.x, at.y) ?? -1
    const node = renderer.value && i >= 0 && (event.pointerType !== 'touch' || host.selected().includes(i)) ? renderer.value.at(i) : null
    return node ? { kind: 'node', key: keyOf(i), off: { x: node.x - at.x, y: node.y - at.y } } : { kind: 'ground' }
  }
  function down(event: PointerEvent) {
    if (event.button !== 0)
      return
    stage.value?.setPointerCapture?.(event.pointerId)
    const at = place(event)
    pointers.set(event.pointerId, at)
    moved = pointers.size > 1 ? CLICK_PX + 1 : 0
    if (pointers.size > 1)
      letGo()
    grip = pointers.size > 1 || host.placing() !== '' ? { kind: 'ground' } : gripAt(event, at)
  }
  function move(event: PointerEvent) {
    const here = place(event)
    const before = pointers.get(event.pointerId)
    if (!before) {
      const key = keyOf(renderer.value?.pick(here.x, here.y))
      pointing.value = key !== ''
      host.point(key)
      return
    }
    pointers.set(event.pointerId, here)
    moved += Math.hypot(here.x - before.x, here.y - before.y)
    if (moved <= CLICK_PX || grip.kind === 'spent')
      return
    grabbing.value = true
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1]
    if (other)
      pinch(before, here, other)
    else if (grip.kind === 'node')
      renderer.value?.hold(grip.key, here.x + grip.off.x, here.y + grip.off.y)
    else
      renderer.value?.panBy(here.x - before.x, here.y - before.y)
  }
  function pinch(before: Point, here: Point, other: Point) {
    const distance = (p: Point) => Math.max(1, Math.hypot(p.x - other.x, p.y - other.y))
    renderer.value?.zoomBy(distance(here) / distance(before), (here.x + other.x) / 2, (here.y + other.y) / 2)
    renderer.value?.panBy((here.x - before.x) / 2, (here.y - before.y) / 2)
  }
  function up(event: PointerEvent) {
    if (!pointers.delete(event.pointerId))
      return
    grabbing.value = false
    if (renderer.value?.holding && grip.kind === 'node') {
      const { key } = grip
      const put = renderer.value.put()
      if (put)
        host.pin([[key, put]])
    }
    else if (moved <= CLICK_PX && grip.kind !== 'spent') {
      press(place(event), event.shiftKey)
    }
  }
  function press({ x, y }: Point, add: boolean) {
    const put = host.placing() === '' ? null : renderer.value?.placeAt(x, y)
    if (put)
      host.pin([[host.placing(), put]])
    else
      host.choose(keyOf(renderer.value?.pick(x, y)), add)
  }
  function letGo() {
    if (renderer.value?.holding)
      renderer.value.letGo()
    grip = { kind: 'spent' }
  }
  function cancel(event: PointerEvent) {
    pointers.delete(event.pointerId)
    grabbing.value = false
    letGo()
  }
  /** Out of what is under way; false when nothing is. */
  function escape(): boolean {
    if (!renderer.value?.holding)
      return false
    letGo()
    grabbing.value = false
    return true
  }
  function wheel(event: WheelEvent) {
    const { x, y } = place(event)
    // Lines and pages as pixels.
    const delta = event.deltaY * (event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1)
    renderer.value?.zoomBy(Math.exp(-delta * 0.0016), x, y)
  }
  return { grabbing, pointing, down, move, up, cancel, escape, wheel }
}
