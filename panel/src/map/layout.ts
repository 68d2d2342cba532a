// What a layout is told and what it answers, and what all layouts share.
import type { MapView } from './view'

export type LayoutName = 'layered' | 'force' | 'concentric'
export const LAYOUTS: readonly LayoutName[] = ['layered', 'force', 'concentric']

export const AGENT = 0
export const HOP = 1
export const TARGET = 2

export interface Frame {
  readonly width: number
  readonly height: number
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export interface LayoutInput {
  readonly count: number
  readonly side: Uint8Array
  readonly rank: Float32Array
  /** Nodes of one opened group; -1 outside. */
  readonly band: Int32Array
  /** Groups and runs, which take more room than a single node. */
  readonly pill: Uint8Array
  readonly source: Int32Array
  readonly target: Int32Array
  readonly frame: Frame
}

/** x0, y0, x1, y1 ... */
export type Positions = Float32Array

export interface Placed {
  readonly positions: Positions
  /** The least distance of two neighbours: how large a node may be drawn. */
  readonly gap: number
  /** Of each node the distance to what is nearest above or below it, where there are columns. */
  readonly room: Float32Array | null
  /** Between columns, for labels. */
  readonly columnGap: number
  /** Rings around the centre, of the concentric layout. */
  readonly rings?: { readonly x: number, readonly y: number, readonly radii: readonly (readonly [number, number])[] }
}

export function layoutInput(view: MapView, frame: Frame): LayoutInput {
  const bands = new Map<string, number>()
  const bandOf = (band: string) => {
    if (band === '')
      return -1
    if (!bands.has(band))
      bands.set(band, bands.size)
    return bands.get(band) ?? -1
  }
  return {
    count: view.nodes.length,
    side: Uint8Array.from(view.nodes, node => node.of === 'agent' ? AGENT : node.of === 'target' ? TARGET : HOP),
    rank: Float32Array.from(view.nodes, node => node.rank),
    band: Int32Array.from(view.nodes, node => bandOf(node.band)),
    pill: Uint8Array.from(view.nodes, node => node.kind === 'group' || node.kind === 'run' ? 1 : 0),
    source: Int32Array.from(view.edges, edge => edge.source),
    target: Int32Array.from(view.edges, edge => edge.target),
    frame,
  }
}

/** Room at both sides for names of agents and targets, as far as the width allows it. */
export function frameOf(width: number, height: number): Frame {
  const side = Math.max(28, Math.min(180, width * (width < 600 ? 0.18 : 0.17)))
  return { width, height, left: side, right: side, top: 30, bottom: 46 }
}
