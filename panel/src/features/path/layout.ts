// Where the nodes of the path diagram stand: one column per TTL, in each column an order with few crossings, and heights
// that keep all single routers in one line and open a diamond evenly around it. Pure and deterministic.
import type { Hop, Path } from './types'

export interface PlacedNode {
  readonly id: string
  readonly column: number
  readonly x: number
  readonly y: number
  /** Nothing for the agent. */
  readonly hop: Hop | null
}
export interface PlacedLink {
  readonly key: string
  readonly from: PlacedNode
  readonly to: PlacedNode
  readonly share: number
  readonly delayUs: number | null
}
export interface Placed {
  readonly nodes: readonly PlacedNode[]
  readonly links: readonly PlacedLink[]
  readonly width: number
  readonly height: number
}
export interface Spacing { readonly column: number, readonly row: number, readonly marginX: number, readonly marginY: number }

const SWEEPS = 8
const AGENT = 'agent'
interface Edge { readonly from: string, readonly to: string, readonly share: number }

/** As near to what is wanted as the order and the gap allow (pool adjacent violators: least squares). */
export function spread(wanted: readonly number[], gap: number): number[] {
  const blocks: { sum: number, n: number }[] = []
  wanted.forEach((want, i) => {
    let block = { sum: want - i * gap, n: 1 }
    for (let last = blocks.at(-1); last && last.sum / last.n > block.sum / block.n; last = blocks.at(-1)) {
      blocks.pop()
      block = { sum: block.sum + last.sum, n: block.n + last.n }
    }
    blocks.push(block)
  })
  return blocks.flatMap(({ sum, n }) => Array.from({ length: n }, () => sum / n)).map((base, i) => base + i * gap)
}

function put(into: Map<string, Edge[]>, key: string, edge: Edge): void {
  const found = into.get(key)
  if (found)
    found.push(edge)
  else
    into.set(key, [edge])
}

class Neighbours {
  private readonly before = new Map<string, Edge[]>()
  private readonly after = new Map<string, Edge[]>()

  constructor(edges: readonly Edge[]) {
    for (const edge of edges) {
      put(this.before, edge.to, edge)
      put(this.after, edge.from, edge)
    }
  }

  /** Mean of the neighbours' values, weighed by share. */
  mean(id: string, side: 'before' | 'after' | 'both', value: ReadonlyMap<string, number>): number | undefined {
    const near = [
      ...(side === 'after' ? [] : (this.before.get(id) ?? []).map(edge => [edge.from, edge.share] as const)),
      ...(side === 'before' ? [] : (this.after.get(id) ?? []).map(edge => [edge.to, edge.share] as const)),
    ]
    let [sum, weight] = [0, 0]
    for (const [other, share] of near) {
      const at = value.get(other)
      if (at === undefined)
        continue
      const w = Math.max(share, 1e-6)
      sum += at * w
      weight += w
    }
    return weight === 0 ? undefined : sum / weight
  }
}

function positions(columns: readonly (readonly string[])[]): Map<string, number> {
  return new Map(columns.flatMap(column => column.map((id, i) => [id, i - (column.length - 1) / 2] as const)))
}

/** Links of one gap between columns cross when their ends stand in opposite orders. */
export function crossings(columns: readonly (readonly string[])[], edges: readonly Edge[]): number {
  const place = new Map(columns.flatMap((ids, column) => ids.map((id, row) => [id, { column, row }] as const)))
  const gaps = new Map<number, [number, number][]>()
  for (const { from, to } of edges) {
    const [a, b] = [place.get(from), place.get(to)]
    if (!a || !b)
      continue
    const gap = a.column * columns.length + b.column
    const ends = gaps.get(gap) ?? []
    ends.push([a.row, b.row])
    gaps.set(gap, ends)
  }
  let n = 0
  for (const ends of gaps.values())
    ends.forEach(([from, to], i) => {
      for (let k = i + 1; k < ends.length; k += 1)
        n += (from - (ends[k]?.[0] ?? 0)) * (to - (ends[k]?.[1] ?? 0)) < 0 ? 1 : 0
    })
  return n
}

/** Barycentre sweeps forth and back; the best order that came by is kept. */
export function ordered(start: readonly (readonly string[])[], edges: readonly Edge[]): string[][] {
  const near = new Neighbours(edges)
  let columns = start.map(column => [...column])
  let best = columns
  let fewest = crossings(columns, edges)
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep += 1) {
    const forth = sweep % 2 === 0
    const next = columns.map(column => [...column])
    const indices = next.map((_, c) => c)
    for (const c of forth ? indices : indices.reverse()) {
      const at = positions(next)
      const key = new Map((next[c] ?? []).map((id, i) => [id, near.mean(id, forth ? 'before' : 'after', at) ?? at.get(id) ?? i]))
      // A stable sort: equals keep their order, so the same path is drawn the same way each time.
      next[c]?.sort((a, b) => (key.get(a) ?? 0) - (key.get(b) ?? 0))
    }
    columns = next
    const n = crossings(columns, edges)
    if (n < fewest) {
      fewest = n
      best = columns
    }
  }
  return best
}

/** Heights in rows: who is alone at its TTL stands on the axis, the others near their neighbours, a row apart at least. */
export function heights(columns: readonly (readonly string[])[], edges: readonly Edge[]): Map<string, number> {
  const near = new Neighbours(edges)
  let at = positions(columns)
  for (let round = 0; round < SWEEPS; round += 1) {
    const next = new Map(at)
    for (const column of columns) {
      if (column.length === 1)
        continue
      const wanted = column.map(id => ((near.mean(id, 'both', next) ?? 0) + (at.get(id) ?? 0)) / 2)
      spread(wanted, 1).forEach((y, i) => next.set(column[i] ?? '', y))
    }
    at = next
  }
  return at
}

export function layoutPath(path: Pick<Path, 'hops' | 'links'>, spacing: Spacing): Placed {
  const hops = new Map(path.hops.map(hop => [hop.id, hop]))
  const ttls = [...new Set(path.hops.map(hop => hop.ttl))].sort((a, b) => a - b)
  const edges = path.links.filter(link => (link.from === AGENT || hops.has(link.from)) && hops.has(link.to))
  const start = [[AGENT], ...ttls.map(ttl => path.hops.filter(hop => hop.ttl === ttl).map(hop => hop.id))]
  const columns = ordered(start, edges)
  const rows = heights(columns, edges)
  const top = Math.min(...rows.values())
  const bottom = Math.max(...rows.values())
  const nodes = columns.flatMap((ids, column) => ids.map((id): PlacedNode => ({
    id, column, hop: hops.get(id) ?? null,
    x: spacing.marginX + column * spacing.column,
    y: spacing.marginY + ((rows.get(id) ?? 0) - top) * spacing.row,
  })))
  const byId = new Map(nodes.map(node => [node.id, node]))
  const links = edges.flatMap((link) => {
    const [from, to] = [byId.get(link.from), byId.get(link.to)]
    return from && to ? [{ key: `${link.from}>${link.to}`, from, to, share: link.share, delayUs: link.delay_us }] : []
  })
  return { nodes, links, width: 2 * spacing.marginX + (columns.length - 1) * spacing.column, height: 2 * spacing.marginY + (bottom - top) * spacing.row }
}

/** All that lies on a path through this node: what stays bright while it is pointed at. */
export function through(id: string, paths: readonly { readonly hops: readonly string[] }[]): { nodes: ReadonlySet<string>, links: ReadonlySet<string> } {
  const nodes = new Set<string>([AGENT])
  const links = new Set<string>()
  for (const { hops } of paths) {
    if (id !== AGENT && !hops.includes(id))
      continue
    let before = AGENT
    for (const hop of hops) {
      nodes.add(hop)
      links.add(`${before}>${hop}`)
      before = hop
    }
  }
  return { nodes, links }
}
