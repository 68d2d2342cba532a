// Nodes on their way from where they were to where they are placed.
import type { Positions } from './layout'
import type { MapView } from './view'

export const MOTION_MS = 250

export function eased(share: number): number {
  const t = Math.min(1, Math.max(0, share))
  return 1 - (1 - t) ** 3
}

export function between(from: Positions, to: Positions, share: number): Positions {
  const t = eased(share)
  return to.map((value, i) => (from[i] ?? value) + (value - (from[i] ?? value)) * t)
}

const SEEN_PX = 0.5

/** Whether going from one to the other would be seen. */
export function differ(from: Positions, to: Positions): boolean {
  return from.some((value, i) => Math.abs(value - (to[i] ?? value)) > SEEN_PX)
}

/** Where the nodes of a new picture begin: where they were, or where the group was that they come out of (or go into). */
export function beginnings(before: MapView, positions: Positions, after: MapView, to: Positions): Positions {
  const start = to.slice()
  after.nodes.forEach((node, i) => {
    const same = before.index.get(node.key)
    const from = same ?? meanSource(before, after, i)
    if (from === undefined)
      return
    start[i * 2] = positions[from * 2] ?? start[i * 2] ?? 0
    start[i * 2 + 1] = positions[from * 2 + 1] ?? start[i * 2 + 1] ?? 0
  })
  return start
}

function meanSource(before: MapView, after: MapView, i: number): number | undefined {
  for (const member of after.nodes[i]?.members ?? []) {
    const id = after.graph.nodes[member]?.id
    const known = id === undefined ? undefined : before.graph.index.get(id)
    const drawn = known === undefined ? -1 : before.of[known] ?? -1
    if (drawn >= 0)
      return drawn
  }
  return undefined
}
