// Nodes that somebody has put somewhere: they stay there, whatever layouts and changes do with the others.
import type { LayoutName, Placed } from './layout'
import type { MapView } from './view'

/** Apart from the size of the picture. */
export interface Place { readonly x: number, readonly y: number }
/** By key of the drawn node. */
export type Pins = ReadonlyMap<string, Place>
export interface Size { readonly width: number, readonly height: number }

/** Further away than this nobody can have put anything. */
export const FAR = 1e5

/** Layouts that fill the picture have shares of it; the force layout is as large as it is, around the middle. */
export function placeOf(layout: LayoutName, { width, height }: Size, x: number, y: number): Place {
  return layout === 'force' ? { x: x - width / 2, y: y - height / 2 } : { x: x / Math.max(1, width), y: y / Math.max(1, height) }
}

export function positionOf(layout: LayoutName, { width, height }: Size, place: Place): readonly [number, number] {
  return layout === 'force' ? [place.x + width / 2, place.y + height / 2] : [place.x * width, place.y * height]
}

export interface Pinned { readonly placed: Placed, readonly pinned: Uint8Array | null }

/** What the layout says, but for the nodes that have a place of their own; null when there are none. */
export function withPins(placed: Placed, view: MapView, layout: LayoutName, size: Size, pins: Pins): Pinned {
  let positions: Float32Array | null = null
  let pinned: Uint8Array | null = null
  for (const [key, place] of pins) {
    const i = view.index.get(key)
    if (i === undefined)
      continue
    positions ??= placed.positions.slice()
    pinned ??= new Uint8Array(view.nodes.length)
    positions.set(positionOf(layout, size, place), i * 2)
    pinned[i] = 1
  }
  return { placed: positions ? { ...placed, positions } : placed, pinned }
}

/** index, x, y behind one another, as the force layout takes what does not move. */
export function fixedBy(view: MapView, size: Size, pins: Pins): number[] {
  return [...pins].flatMap(([key, place]) => {
    const i = view.index.get(key)
    return i === undefined ? [] : [i, ...positionOf('force', size, place)]
  })
}
