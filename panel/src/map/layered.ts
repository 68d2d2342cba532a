// Columns by distance: agents left, targets right. The order within a column comes from barycentre sweeps (Sugiyama,
// Tagawa and Toda 1981), where nodes of one opened group stay together; then every node moves as close to its neighbours'
// mean height as order and distance allow, which is an isotonic regression. No chance and no history: the same network
// is the same picture.
import type { LayoutInput, Placed } from './layout'
import type { Rows } from './graph'
import { toRows } from './graph'
import { AGENT, TARGET } from './layout'

const SWEEPS = 8
const STRAIGHTENINGS = 6
const GAP_MAX = 56
const BAND_GAP = 0.9
const PILL_WEIGHT = 2

interface Column { readonly nodes: Int32Array }

/** Distances become columns without holes; targets are behind everything. */
export function columnsOf(input: LayoutInput): Int32Array {
  const rank = Int32Array.from(input.rank, (value, i) => input.side[i] === AGENT ? 0 : Math.max(1, Math.round(value)))
  const used = [...new Set(rank.filter((_, i) => input.side[i] !== TARGET))].sort((a, b) => a - b)
  const column = new Map(used.map((value, i) => [value, i]))
  return rank.map((value, i) => input.side[i] === TARGET ? Math.max(1, used.length) : column.get(value) ?? 0)
}

export function layered(input: LayoutInput): Placed {
  const { count, frame } = input
  const positions = new Float32Array(count * 2)
  if (count === 0)
    return { positions, gap: GAP_MAX, room: new Float32Array(), columnGap: frame.width }
  const column = columnsOf(input)
  const last = column.reduce((most, value) => Math.max(most, value), 0)
  const into = toRows(count, input.source.length, e => input.target[e] ?? 0, e => input.source[e] ?? 0)
  const out = toRows(count, input.source.length, e => input.source[e] ?? 0, e => input.target[e] ?? 0)
  const columns = ordered(input, column, last, into, out)
  const innerHeight = frame.height - frame.top - frame.bottom
  const units = columns.map(({ nodes }) => unitsOf(input, nodes))
  const gaps = units.map(unit => Math.min(GAP_MAX, innerHeight / Math.max(1, unit)))
  const y = straightened(input, columns, gaps, into, out, frame.top, frame.top + innerHeight)
  const columnGap = (frame.width - frame.left - frame.right) / Math.max(1, last)
  for (let i = 0; i < count; i += 1) {
    positions[i * 2] = last === 0 ? frame.width / 2 : frame.left + (column[i] ?? 0) * columnGap
    positions[i * 2 + 1] = y[i] ?? 0
  }
  return { positions, gap: gaps.reduce((least, gap) => Math.min(least, gap), GAP_MAX), room: roomsOf(columns, y), columnGap }
}

const weightOf = (input: LayoutInput, node: number): number => input.pill[node] === 1 ? PILL_WEIGHT : 1
/** Distance of two neighbours in a column, in units. */
function between(input: LayoutInput, a: number, b: number): number {
  return (weightOf(input, a) + weightOf(input, b)) / 2 + (input.band[a] === input.band[b] ? 0 : BAND_GAP)
}

function unitsOf(input: LayoutInput, nodes: Int32Array): number {
  let units = (weightOf(input, nodes[0] ?? 0) + weightOf(input, nodes.at(-1) ?? 0)) / 2
  for (let i = 1; i < nodes.length; i += 1)
    units += between(input, nodes[i - 1] ?? 0, nodes[i] ?? 0)
  return units
}

function ordered(input: LayoutInput, column: Int32Array, last: number, into: Rows, out: Rows): Column[] {
  const byColumn = toRows(last + 1, input.count, i => column[i] ?? 0, i => i)
  const columns = Array.from({ length: last + 1 }, (_, c): Column => ({ nodes: byColumn.items.subarray(byColumn.start[c] ?? 0, byColumn.start[c + 1] ?? 0) }))
  const place = new Float64Array(input.count)
  const settle = ({ nodes }: Column) => nodes.forEach((node, i) => { place[node] = (i + 0.5) / nodes.length })
  columns.forEach(settle)
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const forward = sweep % 2 === 0
    for (let c = 0; c <= last; c += 1) {
      const here = columns[forward ? c : last - c]
      if (!here)
        continue
      sortColumn(here.nodes, input.band, place, forward ? into : out)
      settle(here)
    }
  }
  return columns
}

function sortColumn(nodes: Int32Array, band: Int32Array, place: Float64Array, neighbours: Rows): void {
  const wanted = new Float64Array(nodes.length)
  const bands = new Map<number, { sum: number, n: number }>()
  const order = Array.from(nodes, (node, i) => {
    wanted[i] = meanOf(node, place, neighbours)
    const b = band[node] ?? -1
    if (b >= 0) {
      const known = bands.get(b) ?? { sum: 0, n: 0 }
      bands.set(b, { sum: known.sum + (wanted[i] ?? 0), n: known.n + 1 })
    }
    return i
  })
  // A band moves as one; who has none is a band of one.
  const lead = (i: number): number => {
    const known = bands.get(band[nodes[i] ?? 0] ?? -1)
    return known ? known.sum / known.n : wanted[i] ?? 0
  }
  const leads = order.map(lead)
  order.sort((a, b) => (leads[a] ?? 0) - (leads[b] ?? 0) || (band[nodes[a] ?? 0] ?? 0) - (band[nodes[b] ?? 0] ?? 0) || (wanted[a] ?? 0) - (wanted[b] ?? 0) || (nodes[a] ?? 0) - (nodes[b] ?? 0))
  nodes.set(order.map(i => nodes[i] ?? 0))
}

/** Where a node's neighbours are; one without any stays. */
function meanOf(node: number, place: Float64Array, neighbours: Rows): number {
  const [from, until] = [neighbours.start[node] ?? 0, neighbours.start[node + 1] ?? 0]
  if (from === until)
    return place[node] ?? 0
  let sum = 0
  for (let i = from; i < until; i += 1)
    sum += place[neighbours.items[i] ?? 0] ?? 0
  return sum / (until - from)
}

function straightened(input: LayoutInput, columns: readonly Column[], gaps: readonly number[], into: Rows, out: Rows, top: number, bottom: number): Float64Array {
  const y = new Float64Array(input.count)
  const offsets = columns.map(({ nodes }, c) => offsetsOf(input, nodes, gaps[c] ?? GAP_MAX))
  columns.forEach(({ nodes }, c) => {
    const offset = offsets[c] ?? new Float64Array()
    const high = offset.at(-1) ?? 0
    nodes.forEach((node, i) => { y[node] = (top + bottom - high) / 2 + (offset[i] ?? 0) })
  })
  for (let pass = 0; pass < STRAIGHTENINGS; pass += 1) {
    for (let step = 0; step < columns.length; step += 1) {
      const c = pass % 2 === 0 ? step : columns.length - 1 - step
      alignColumn(columns[c]?.nodes ?? new Int32Array(), offsets[c] ?? new Float64Array(), y, into, out, top, bottom)
    }
  }
  return y
}

function roomsOf(columns: readonly Column[], y: Float64Array): Float32Array {
  const room = new Float32Array(y.length).fill(GAP_MAX)
  for (const { nodes } of columns) {
    for (let i = 1; i < nodes.length; i += 1) {
      const [a, b] = [nodes[i - 1] ?? 0, nodes[i] ?? 0]
      const distance = Math.abs((y[b] ?? 0) - (y[a] ?? 0))
      room[a] = Math.min(room[a] ?? GAP_MAX, distance)
      room[b] = Math.min(GAP_MAX, distance)
    }
  }
  return room
}

function offsetsOf(input: LayoutInput, nodes: Int32Array, gap: number): Float64Array {
  const offset = new Float64Array(nodes.length)
  for (let i = 1; i < nodes.length; i += 1)
    offset[i] = (offset[i - 1] ?? 0) + Math.min(GAP_MAX * (1 + BAND_GAP), gap * between(input, nodes[i - 1] ?? 0, nodes[i] ?? 0))
  return offset
}

/** The least sum of squared distances to the wanted heights that keeps order and distances (pool adjacent violators). */
function alignColumn(nodes: Int32Array, offset: Float64Array, y: Float64Array, into: Rows, out: Rows, top: number, bottom: number): void {
  const means: number[] = []
  const sizes: number[] = []
  nodes.forEach((node, i) => {
    let mean = wantedHeight(node, y, into, out) - (offset[i] ?? 0)
    let size = 1
    while (means.length > 0 && (means.at(-1) ?? 0) > mean) {
      const [m, s] = [means.pop() ?? 0, sizes.pop() ?? 0]
      mean = (m * s + mean * size) / (s + size)
      size += s
    }
    means.push(mean)
    sizes.push(size)
  })
  const [low, high] = [top, Math.max(top, bottom - (offset.at(-1) ?? 0))]
  let i = 0
  means.forEach((mean, block) => {
    for (let k = 0; k < (sizes[block] ?? 0); k += 1, i += 1)
      y[nodes[i] ?? 0] = Math.min(high, Math.max(low, mean)) + (offset[i] ?? 0)
  })
}

function wantedHeight(node: number, y: Float64Array, into: Rows, out: Rows): number {
  let sum = 0
  let n = 0
  for (const rows of [into, out]) {
    for (let i = rows.start[node] ?? 0; i < (rows.start[node + 1] ?? 0); i += 1) {
      sum += y[rows.items[i] ?? 0] ?? 0
      n += 1
    }
  }
  return n === 0 ? y[node] ?? 0 : sum / n
}
