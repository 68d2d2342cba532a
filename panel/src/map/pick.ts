// What is under the pointer.
import type { Quadtree } from 'd3-quadtree'
import type { Scene } from './scene'
import { quadtree } from 'd3-quadtree'
import { toWorld } from './camera'
import { pillOf, radiusOf, screenX, screenY } from './scene'

const REACH_PX = 14
/** A node is pointed at from near by, and taken only where it is drawn: the ground between nodes moves the map. */
const GRASP = { times: 1.5, more: 1 }

export function grasps(scene: Scene, i: number, px: number, py: number): boolean {
  return pillOf(scene, i) !== null || Math.hypot(px - screenX(scene, i), py - screenY(scene, i)) <= radiusOf(scene) * GRASP.times + GRASP.more
}

export class Picker {
  private tree: Quadtree<number> | null = null
  private pills: number[] = []

  /** To be called when positions have changed; the camera may move freely. */
  index(scene: Scene): void {
    const { positions, view, hidden } = scene
    const shown = view.nodes.flatMap((_, i) => hidden?.[i] === 1 ? [] : [i])
    this.tree = quadtree<number>().x(i => positions[i * 2] ?? 0).y(i => positions[i * 2 + 1] ?? 0).addAll(shown)
    this.pills = shown.filter(i => view.nodes[i]?.kind === 'group' || view.nodes[i]?.kind === 'run')
  }

  /** -1: nothing. */
  at(scene: Scene, px: number, py: number): number {
    for (let k = this.pills.length - 1; k >= 0; k -= 1) {
      const i = this.pills[k] ?? -1
      const pill = pillOf(scene, i)
      if (pill && px >= pill.x && px <= pill.x + pill.w && py >= pill.y - 1 && py <= pill.y + pill.h + 1)
        return i
    }
    const [x, y] = toWorld(scene.camera, px, py)
    return this.tree?.find(x, y, REACH_PX / scene.camera.k) ?? -1
  }
}
