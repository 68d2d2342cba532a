// The force layout of what is drawn, in a worker, as long as there is something to arrange.
import type { Ref } from 'vue'
import type { ForceInput } from '@/map/force'
import type { ForceMessage } from '@/map/force.worker'
import type { LayoutInput, Placed } from '@/map/layout'
import type { Pins, Size } from '@/map/pins'
import type { MapView } from '@/map/view'
import { layered } from '@/map/layered'
import { fixedBy, positionOf } from '@/map/pins'

const GAP = 26
const GROUP_SIZE = 46
const NODE_SIZE = 8
/** The same network with another node held fast: its neighbours follow, the rest hardly moves. */
const WARM = 0.3

export interface ForceAsked {
  readonly view: MapView
  readonly given: LayoutInput
  readonly size: Size
  readonly pins: Pins
  /** Drawn nodes that are selected: they stay while the others make room. */
  readonly selected: readonly number[]
}

export class ForceRunner {
  private worker: Worker | null = null
  private structure = ''
  private held = ''
  private placed: Placed | null = null
  private view: MapView | null = null

  constructor(private readonly settling: Ref<boolean>, private readonly stream: (placed: Placed) => void) {}

  /** Begins where the nodes are now, so that what is known stays about where it was. */
  place(asked: ForceAsked): Placed {
    const { view, given, pins } = asked
    const structure = `${view.nodes.map(node => node.key).join()}|${given.source.join()}|${given.target.join()}`
    const held = JSON.stringify([...pins].filter(([key]) => view.index.has(key)).map(([key, { x, y }]) => [key, x, y]))
    const same = this.structure === structure && this.placed !== null
    if (same && this.held === held && !this.settling.value && this.placed) {
      this.view = view
      return this.placed
    }
    const rested = same && !this.settling.value
    this.halt()
    const seed = this.seedOf(asked)
    const placed: Placed = { positions: seed, gap: GAP, room: null, columnGap: GAP * 4 }
    const before = this.view
    const stays = before && !same ? asked.selected.flatMap(i => before.index.has(view.nodes[i]?.key ?? '') ? [i, seed[i * 2] ?? 0, seed[i * 2 + 1] ?? 0] : []) : []
    this.structure = structure
    this.held = held
    this.placed = placed
    this.view = view
    this.run(asked, placed, Float64Array.from([...stays, ...fixedBy(view, asked.size, pins)]), rested ? WARM : 1)
    return placed
  }

  /** Another layout is shown: the next time everything begins anew. */
  forget(): void {
    this.halt()
    this.structure = this.held = ''
    this.placed = this.view = null
  }

  halt(): void {
    this.worker?.terminate()
    this.worker = null
    this.settling.value = false
  }

  private seedOf({ view, given, size, pins }: ForceAsked): Float32Array {
    const seed = layered(given).positions
    const { placed, view: before } = this
    view.nodes.forEach((node, i) => {
      const at = before?.index.get(node.key)
      const pin = pins.get(node.key)
      if (pin)
        seed.set(positionOf('force', size, pin), i * 2)
      else if (placed && at !== undefined)
        seed.set(placed.positions.subarray(at * 2, at * 2 + 2), i * 2)
    })
    return seed
  }

  private run({ view, given, size }: ForceAsked, placed: Placed, fixed: Float64Array, alpha: number): void {
    this.settling.value = true
    this.worker = new Worker(new URL('../../map/force.worker.ts', import.meta.url), { type: 'module' })
    this.worker.onmessage = ({ data }: MessageEvent<ForceMessage>) => {
      this.placed = { ...placed, positions: data.positions }
      this.stream(this.placed)
      if (data.done)
        this.halt()
    }
    const room = Float32Array.from(view.nodes, node => node.kind === 'group' ? GROUP_SIZE : NODE_SIZE)
    this.worker.postMessage({ count: given.count, band: given.band, source: given.source, target: given.target, seed: placed.positions, width: size.width, height: size.height, size: room, fixed, alpha } satisfies ForceInput)
  }
}
