// From the layout's coordinates to the canvas: screen = world * k + (x, y).
import type { Positions } from './layout'

export interface Camera {
  readonly k: number
  readonly x: number
  readonly y: number
}

export const HOME: Camera = { k: 1, x: 0, y: 0 }
export const ZOOM_MIN = 0.25
export const ZOOM_MAX = 16

export function panned(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x + dx, y: camera.y + dy }
}

/** What is under the pointer stays under it. */
export function zoomed(camera: Camera, px: number, py: number, factor: number): Camera {
  const k = Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, camera.k * factor))
  const by = k / camera.k
  return { k, x: px - (px - camera.x) * by, y: py - (py - camera.y) * by }
}

export function toWorld(camera: Camera, px: number, py: number): readonly [number, number] {
  return [(px - camera.x) / camera.k, (py - camera.y) / camera.k]
}

/** Everything in view, with a margin in pixels. */
export function fitted(positions: Positions, width: number, height: number, margin: number): Camera {
  let [left, top, right, bottom] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i + 1 < positions.length; i += 2) {
    const [x, y] = [positions[i] ?? 0, positions[i + 1] ?? 0]
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  if (right < left)
    return HOME
  const inner = (size: number) => Math.max(10, size - 2 * margin)
  const k = Math.min(ZOOM_MAX, 2, Math.max(ZOOM_MIN, Math.min(inner(width) / Math.max(1, right - left), inner(height) / Math.max(1, bottom - top))))
  return { k, x: width / 2 - k * (left + right) / 2, y: height / 2 - k * (top + bottom) / 2 }
}

/** The same magnification with a point in the middle, and no closer than needed to see it. */
export function centred(camera: Camera, wx: number, wy: number, width: number, height: number): Camera {
  return { k: camera.k, x: width / 2 - wx * camera.k, y: height / 2 - wy * camera.k }
}

export function inView(camera: Camera, wx: number, wy: number, width: number, height: number, margin: number): boolean {
  const [x, y] = [wx * camera.k + camera.x, wy * camera.k + camera.y]
  return x >= margin && y >= margin && x <= width - margin && y <= height - margin
}
