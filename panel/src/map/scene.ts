// Everything that one picture is made of.
import type { Camera } from './camera'
import type { LayoutName, Placed, Positions } from './layout'
import type { MapView } from './view'
import { clipped, plainText } from './words'

export interface MapLook {
  /** In the order of GRADES; the last is "no data". */
  readonly grades: readonly string[]
  readonly text: string
  readonly muted: string
  readonly line: string
  /** Healthy links, and the rings of hops that do not answer. */
  readonly quiet: string
  readonly surface: string
  readonly raised: string
  readonly accent: string
}

export interface Scene {
  readonly view: MapView
  readonly layout: LayoutName
  readonly placed: Placed
  /** Where nodes are at this moment; while they move not where they are placed. */
  readonly positions: Positions
  readonly camera: Camera
  readonly width: number
  readonly height: number
  readonly look: MapLook
  /** What the highlight bar asks for; the rest is dimmed. */
  readonly matches: { readonly nodes: Uint8Array, readonly edges: Uint8Array } | null
  /** Of a comparison: how nodes and links have changed. */
  readonly changes: { readonly nodes: Uint8Array, readonly edges: Uint8Array } | null
  /** Nodes that the layout leaves out. */
  readonly hidden: Uint8Array | null
  /** Nodes that stand where somebody has put them. */
  readonly pinned: Uint8Array | null
}

export const screenX = (scene: Scene, i: number): number => (scene.positions[i * 2] ?? 0) * scene.camera.k + scene.camera.x
export const screenY = (scene: Scene, i: number): number => (scene.positions[i * 2 + 1] ?? 0) * scene.camera.k + scene.camera.y

const RADIUS_MIN = 3.2
const RADIUS_MAX = 8

/** Radius of a plain hop in pixels: larger where there is room, and less than in proportion when one comes closer. */
export function radiusOf(scene: Scene): number {
  const { gap, columnGap } = scene.placed
  const fits = Math.min(RADIUS_MAX, Math.max(RADIUS_MIN, Math.min(gap * 0.2, columnGap * 0.16)))
  return Math.min(RADIUS_MAX + 2, fits * Math.max(0.75, Math.sqrt(scene.camera.k)))
}

export interface Pill {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
  readonly label: string
  readonly count: string
  /** The name, where there is no room for it inside. */
  readonly below: string
}

export const TEXT_SIGN = 6.05
export const MONO_SIGN = 6.1
export const PILL_H = 22
const PILL_MAX = 190
const BELOW_FROM = 36
/** Without columns names of groups would cover one another when they are far away. */
const NAMES_FROM = 0.5

/** Groups and runs are drawn as pills with their names; the same rectangles are what is picked. */
export function pillOf(scene: Scene, i: number): Pill | null {
  const node = scene.view.nodes[i]
  if (!node || (node.kind !== 'group' && node.kind !== 'run'))
    return null
  const room = scene.layout === 'layered' ? Math.min(PILL_MAX, Math.max(34, scene.placed.columnGap * scene.camera.k - 10)) : scene.camera.k < NAMES_FROM ? 34 : PILL_MAX
  const count = node.kind === 'group' ? String(node.members.length) : ''
  const name = shortName(node.label)
  const countW = count === '' ? 0 : count.length * TEXT_SIGN + 8
  const inside = room - countW - 14
  const under = name.length * TEXT_SIGN > inside && count !== '' && (scene.placed.room?.[i] ?? 0) * scene.camera.k >= BELOW_FROM
  const label = under ? '' : clipped(name, inside, TEXT_SIGN)
  const w = label.length * TEXT_SIGN + countW + 14
  return { x: screenX(scene, i) - w / 2, y: screenY(scene, i) - PILL_H / 2 - (under ? 4 : 0), w, h: PILL_H, label, count, below: under ? clipped(name, room + 14, MONO_SIGN) : '' }
}

/** "198.51.100/24": the zeros that the length says anyway are left out, as it is written in short. */
function shortName(label: string): string {
  return plainText(label).replace(/^(\d+\.\d+\.\d+)\.0(\/24)$/, '$1$2').replace(/^(\d+\.\d+)\.0\.0(\/16)$/, '$1$2')
}
