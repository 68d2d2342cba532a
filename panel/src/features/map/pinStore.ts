// Where nodes were put, on this device: by workspace and layout, in one entry of localStorage. Bounded; whatever stands
// there is looked at before it is believed. A node that has not been on the map for two weeks is forgotten, not one that
// is away for an hour.
import type { LayoutName } from '@/map/layout'
import type { Place } from '@/map/pins'
import { LAYOUTS } from '@/map/layout'
import { FAR } from '@/map/pins'

export const PINS_STORED = 'nw-map-pins'
export const PINS_MAX = 200
const WORKSPACES_MAX = 12
const KEY_MAX = 200
const GONE_DAYS = 14
const DAY_MS = 86_400_000

/** A place, and the day on which its node was last on the map. */
export interface KeptPin extends Place { readonly day: number }
export type KeptPins = Readonly<Record<LayoutName, ReadonlyMap<string, KeptPin>>>
type Entry = readonly [key: string, x: number, y: number, day: number]

export const dayOf = (ms: number): number => Math.floor(ms / DAY_MS)
export const noPins = (): KeptPins => ({ layered: new Map(), force: new Map(), concentric: new Map() })

const near = (value: unknown): value is number => typeof value === 'number' && Math.abs(value) <= FAR
function isEntry(value: unknown): value is Entry {
  return Array.isArray(value) && typeof value[0] === 'string' && value[0] !== '' && value[0].length <= KEY_MAX && near(value[1]) && near(value[2]) && near(value[3])
}

/** Everything that is kept, by workspace, the one used last at the end. */
function parse(text: string | null): Record<string, Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    const isObject = (entry: unknown): entry is Record<string, unknown> => typeof entry === 'object' && entry !== null && !Array.isArray(entry)
    return isObject(value) ? Object.fromEntries(Object.entries(value).filter((entry): entry is [string, Record<string, unknown>] => isObject(entry[1]))) : {}
  }
  catch {
    // Not ours, or torn: as good as nothing.
    return {}
  }
}

export function readPins(storage: Storage, workspace: string, today: number): KeptPins {
  const kept = parse(storage.getItem(PINS_STORED))[workspace]
  const ofLayout = (layout: LayoutName) => {
    const entries = kept?.[layout]
    const known = (Array.isArray(entries) ? entries : []).filter(isEntry).filter(([, , , day]) => today - day <= GONE_DAYS)
    return new Map(known.slice(-PINS_MAX).map(([key, x, y, day]) => [key, { x, y, day: Math.min(day, today) }]))
  }
  return { layered: ofLayout('layered'), force: ofLayout('force'), concentric: ofLayout('concentric') }
}

/** Throws when the device keeps nothing, or has no room. */
export function writePins(storage: Storage, workspace: string, pins: KeptPins): void {
  const others = Object.entries(parse(storage.getItem(PINS_STORED))).filter(([id]) => id !== workspace)
  const own = Object.fromEntries(LAYOUTS.flatMap(layout => pins[layout].size === 0 ? [] : [[layout, [...pins[layout]].slice(-PINS_MAX).map(([key, { x, y, day }]): Entry => [key, rounded(x), rounded(y), day])]]))
  const all = [...others, ...Object.keys(own).length > 0 ? [[workspace, own] as const] : []].slice(-WORKSPACES_MAX)
  if (all.length === 0)
    storage.removeItem(PINS_STORED)
  else
    storage.setItem(PINS_STORED, JSON.stringify(Object.fromEntries(all)))
}
const rounded = (value: number): number => Math.round(value * 1e4) / 1e4
