// Draws the map on two canvases: a base that is painted crisp at rest and moved about as a bitmap meanwhile, and an
// overlay for what is pointed at. Frames, timers and the clock are handed in.
import type { Camera } from './camera'
import type { Focus } from './focus'
import type { LayoutName, Placed } from './layout'
import type { Place } from './pins'
import type { MapLook, Scene } from './scene'
import type { MapView } from './view'
import { centred, fitted, HOME, inView, panned, toWorld, zoomed } from './camera'
import { beginnings, between, differ, MOTION_MS } from './motion'
import { paintHeld, paintOverlay } from './overlay'
import { paintScene } from './paint'
import { grasps, Picker } from './pick'
import { placeOf } from './pins'

export interface RenderEnvironment {
  readonly frame: (run: () => void) => () => void
  readonly later: (run: () => void, ms: number) => () => void
  readonly now: () => number
  /** Nothing may move by itself. */
  readonly still: () => boolean
  readonly canvas: () => HTMLCanvasElement
}

export interface Picture {
  readonly view: MapView
  readonly layout: LayoutName
  readonly placed: Placed
  readonly hidden: Uint8Array | null
  /** Nodes that stand where somebody has put them. */
  readonly pinned: Uint8Array | null
}

const REST_MS = 110
const FIT_MARGIN = 44
/** Nothing is put so near to the edge that half of it cannot be seen. */
const EDGE_PX = 10

/** For whoever listens; nothing is kept. */
export function measured(name: string, start: number): void {
  performance.measure(name, { start })
  performance.clearMeasures(name)
}

export class MapRenderer {
  private picture: Picture | null = null
  private scene: Scene | null = null
  private focus: Focus | null = null
  private camera: Camera = HOME
  private touched = false
  private sized = { width: 0, height: 0, ratio: 1 }
  private cache: { canvas: HTMLCanvasElement, camera: Camera } | null = null
  private matches: Scene['matches'] = null
  private changes: Scene['changes'] = null
  /** A node in somebody's hand, and where. */
  private held: { key: string, x: number, y: number } | null = null
  private motion: { from: Float32Array, began: number } | null = null
  private cancelFrame: (() => void) | null = null
  private cancelRest: (() => void) | null = null
  private wanted: 'crisp' | 'moving' | 'overlay' | null = null
  private readonly picker = new Picker()
  private readonly base: CanvasRenderingContext2D | null
  private readonly over: CanvasRenderingContext2D | null

  constructor(private readonly baseCanvas: HTMLCanvasElement, private readonly overCanvas: HTMLCanvasElement, private look: MapLook, private readonly env: RenderEnvironment) {
    this.base = baseCanvas.getContext('2d', { alpha: false })
    this.over = overCanvas.getContext('2d')
  }

  resize(width: number, height: number, ratio: number): void {
    this.sized = { width, height, ratio: Math.min(2, ratio) }
    for (const canvas of [this.baseCanvas, this.overCanvas]) {
      canvas.width = Math.max(1, Math.round(width * this.sized.ratio))
      canvas.height = Math.max(1, Math.round(height * this.sized.ratio))
    }
    this.cache = null
    this.compose()
    this.ask('crisp')
  }

  /** `home`: another layout, which is looked at from the beginning. `pinned`: what stays in its place when one looks closer. */
  show(picture: Picture, home: boolean, pinned?: number): void {
    const before = this.scene
    const stays = before && pinned !== undefined && this.touched && !home ? before.view.index.get(picture.view.nodes[pinned]?.key ?? '') : undefined
    if (before && pinned !== undefined && stays !== undefined) {
      const moved = (axis: 0 | 1) => (before.placed.positions[stays * 2 + axis] ?? 0) - (picture.placed.positions[pinned * 2 + axis] ?? 0)
      this.camera = panned(this.camera, moved(0) * this.camera.k, moved(1) * this.camera.k)
    }
    const from = before && !this.env.still() ? beginnings(before.view, before.positions, picture.view, picture.placed.positions) : null
    this.motion = from && differ(from, picture.placed.positions) ? { from, began: this.env.now() } : null
    this.picture = picture
    this.focus = null
    if (home) {
      this.camera = this.homeCamera()
      this.touched = false
    }
    this.compose()
    this.ask('crisp')
  }

  /** Positions of a layout that is still being worked out. */
  stream(placed: Placed): void {
    if (!this.picture)
      return
    this.picture = { ...this.picture, placed }
    this.motion = null
    if (!this.touched)
      this.camera = fitted(placed.positions, this.sized.width, this.sized.height, FIT_MARGIN)
    this.compose()
    this.ask('crisp')
  }

  setLook(look: MapLook): void {
    this.look = look
    this.compose()
    this.ask('crisp')
  }

  mark(matches: Scene['matches'], changes: Scene['changes']): void {
    this.matches = matches
    this.changes = changes
    this.compose()
    this.ask('crisp')
  }

  setFocus(focus: Focus | null): void {
    this.focus = focus
    this.ask('overlay')
  }

  panBy(dx: number, dy: number): void { this.turn(panned(this.camera, dx, dy)) }
  zoomBy(factor: number, px = this.sized.width / 2, py = this.sized.height / 2): void { this.turn(zoomed(this.camera, px, py, factor)) }

  fit(): void {
    this.touched = false
    this.camera = this.homeCamera()
    this.compose()
    this.ask('crisp')
  }

  /** Layouts fill the picture, unless somebody has put a node outside of it. */
  private homeCamera(): Camera {
    const { picture, sized: { width, height } } = this
    if (!picture)
      return HOME
    const { positions } = picture.placed
    const outside = picture.pinned?.some((pinned, i) => pinned === 1 && !inView(HOME, positions[i * 2] ?? 0, positions[i * 2 + 1] ?? 0, width, height, 0)) ?? false
    return outside || picture.layout === 'force' ? fitted(positions, width, height, FIT_MARGIN) : HOME
  }

  /** Moves the view only as far as is needed to see a node. */
  reveal(i: number): void {
    const { positions } = this.picture?.placed ?? {}
    const [x, y] = [positions?.[i * 2], positions?.[i * 2 + 1]]
    if (x === undefined || y === undefined || inView(this.camera, x, y, this.sized.width, this.sized.height, 20))
      return
    this.touched = true
    this.camera = centred(this.camera, x, y, this.sized.width, this.sized.height)
    this.compose()
    this.ask('crisp')
  }

  pick(px: number, py: number): number {
    return this.scene ? this.picker.at(this.scene, px, py) : -1
  }

  /** The node that is taken when one presses here; farther away the ground is. */
  grasp(px: number, py: number): number {
    const i = this.pick(px, py)
    return this.scene && i >= 0 && grasps(this.scene, i, px, py) ? i : -1
  }

  /** Where a node is going to be drawn, in pixels. */
  at(i: number): { x: number, y: number } {
    const { positions } = this.picture?.placed ?? {}
    const { k, x, y } = this.camera
    return { x: (positions?.[i * 2] ?? 0) * k + x, y: (positions?.[i * 2 + 1] ?? 0) * k + y }
  }

  /** The place at a pixel, for a node to be put there. */
  placeAt(px: number, py: number): Place | null {
    const [x, y] = this.worldAt(px, py)
    return this.picture ? placeOf(this.picture.layout, this.sized, x, y) : null
  }

  /** Takes a node in the hand: only the overlay is painted until it is put down. */
  hold(key: string, px: number, py: number): void {
    const [x, y] = this.worldAt(px, py)
    this.held = { key, x, y }
    this.compose()
    this.ask('overlay')
  }

  /** Puts it down; it is there at once, whatever comes of it. Null when the node is gone meanwhile. */
  put(): Place | null {
    const { held, picture } = this
    const i = held ? picture?.view.index.get(held.key) : undefined
    this.held = null
    if (held && picture && i !== undefined) {
      const positions = picture.placed.positions.slice()
      positions.set([held.x, held.y], i * 2)
      this.picture = { ...picture, placed: { ...picture.placed, positions } }
    }
    this.compose()
    this.ask('crisp')
    return held && picture && i !== undefined ? placeOf(picture.layout, this.sized, held.x, held.y) : null
  }

  /** As if it had never been touched. */
  letGo(): void {
    this.held = null
    this.compose()
    this.ask('crisp')
  }

  get holding(): boolean { return this.held !== null }
  get zoom(): number { return this.camera.k }
  get current(): Scene | null { return this.scene }
  /** What stands out of it: pointed at, or selected. */
  get pointed(): Focus | null { return this.focus }

  /** Both canvases on one. */
  toCanvas(): HTMLCanvasElement {
    this.now('crisp')
    const canvas = this.env.canvas()
    canvas.width = this.baseCanvas.width
    canvas.height = this.baseCanvas.height
    const ctx = canvas.getContext('2d')
    ctx?.drawImage(this.baseCanvas, 0, 0)
    ctx?.drawImage(this.overCanvas, 0, 0)
    return canvas
  }

  stop(): void {
    this.cancelFrame?.()
    this.cancelRest?.()
    this.cancelFrame = this.cancelRest = null
  }

  private worldAt(px: number, py: number): readonly [number, number] {
    const inside = (value: number, size: number) => Math.min(size - EDGE_PX, Math.max(EDGE_PX, value))
    return toWorld(this.camera, inside(px, this.sized.width), inside(py, this.sized.height))
  }

  private turn(camera: Camera): void {
    this.touched = true
    this.camera = camera
    this.compose()
    this.ask(this.motion ? 'crisp' : 'moving')
  }

  private compose(): void {
    if (!this.picture) {
      this.scene = null
      return
    }
    const { view, layout, placed, hidden, pinned } = this.picture
    const share = this.motion ? (this.env.now() - this.motion.began) / MOTION_MS : 1
    if (share >= 1)
      this.motion = null
    const going = this.motion ? between(this.motion.from, placed.positions, share) : placed.positions
    const held = this.held ? view.index.get(this.held.key) : undefined
    const positions = held === undefined ? going : going.slice()
    if (this.held && held !== undefined)
      positions.set([this.held.x, this.held.y], held * 2)
    const fits = (mask: Uint8Array | undefined, size: number) => mask === undefined || mask.length === size
    const matches = fits(this.matches?.nodes, view.nodes.length) ? this.matches : null
    const changes = fits(this.changes?.nodes, view.nodes.length) ? this.changes : null
    const moved = this.scene?.positions !== positions || this.scene?.view !== view
    this.scene = { view, layout, placed, positions, hidden, pinned, camera: this.camera, width: this.sized.width, height: this.sized.height, look: this.look, matches, changes }
    if (moved && !this.motion && !this.held)
      this.picker.index(this.scene)
  }

  private ask(what: 'crisp' | 'moving' | 'overlay'): void {
    const order = { overlay: 0, moving: 1, crisp: 2 }
    if (this.wanted === null || order[what] > order[this.wanted])
      this.wanted = what
    this.cancelFrame ??= this.env.frame(() => {
      this.cancelFrame = null
      const run = this.wanted
      this.wanted = null
      if (run)
        this.now(run)
    })
  }

  private now(what: 'crisp' | 'moving' | 'overlay'): void {
    if (!this.scene || this.sized.width === 0)
      return
    if (what === 'moving' && this.cache)
      this.move(this.cache)
    else if (what !== 'overlay')
      this.crisp()
    this.overlay()
    if (this.motion)
      this.ask('crisp')
  }

  private crisp(): void {
    this.cancelRest?.()
    this.cancelRest = null
    this.compose()
    if (!this.base || !this.scene)
      return
    const begun = performance.now()
    this.base.setTransform(this.sized.ratio, 0, 0, this.sized.ratio, 0, 0)
    paintScene(this.base, this.scene, !this.motion)
    if (!this.motion)
      this.keep()
    measured('nw-map-crisp', begun)
  }

  /** The crisp picture, to be moved about. */
  private keep(): void {
    const canvas = this.cache?.canvas ?? this.env.canvas()
    if (canvas.width !== this.baseCanvas.width || canvas.height !== this.baseCanvas.height) {
      canvas.width = this.baseCanvas.width
      canvas.height = this.baseCanvas.height
    }
    canvas.getContext('2d', { alpha: false })?.drawImage(this.baseCanvas, 0, 0)
    this.cache = { canvas, camera: this.camera }
  }

  private move(cache: { canvas: HTMLCanvasElement, camera: Camera }): void {
    const { base } = this
    if (!base)
      return
    const by = this.camera.k / cache.camera.k
    const { ratio } = this.sized
    base.setTransform(1, 0, 0, 1, 0, 0)
    base.fillStyle = this.look.surface
    base.fillRect(0, 0, this.baseCanvas.width, this.baseCanvas.height)
    base.setTransform(by, 0, 0, by, (this.camera.x - by * cache.camera.x) * ratio, (this.camera.y - by * cache.camera.y) * ratio)
    base.drawImage(cache.canvas, 0, 0)
    this.cancelRest?.()
    this.cancelRest = this.env.later(() => {
      this.cancelRest = null
      this.ask('crisp')
    }, REST_MS)
  }

  private overlay(): void {
    const { over, scene, focus } = this
    if (!over || !scene)
      return
    over.setTransform(1, 0, 0, 1, 0, 0)
    over.clearRect(0, 0, this.overCanvas.width, this.overCanvas.height)
    const held = this.held ? scene.view.index.get(this.held.key) : undefined
    if (!focus && held === undefined)
      return
    const begun = performance.now()
    over.setTransform(this.sized.ratio, 0, 0, this.sized.ratio, 0, 0)
    if (held !== undefined)
      paintHeld(over, scene, held)
    else if (focus)
      paintOverlay(over, scene, focus)
    measured('nw-map-overlay', begun)
  }
}

export function browserRendering(): RenderEnvironment {
  const reduced = matchMedia('(prefers-reduced-motion: reduce)')
  return {
    frame: (run) => {
      const id = requestAnimationFrame(run)
      return () => cancelAnimationFrame(id)
    },
    later: (run, ms) => {
      const id = setTimeout(run, ms)
      return () => clearTimeout(id)
    },
    now: () => performance.now(),
    still: () => reduced.matches,
    canvas: () => document.createElement('canvas'),
  }
}
