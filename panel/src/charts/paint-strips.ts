// The two strips below a smoke chart. Loss: the worst bucket of each pixel column. Outcome: up, down, not measured and
// no data, which all look different.
import type { Columns } from './columns'
import type { ChartLook } from './look'
import type { Frame } from './paint'
import { Bucket } from './columns'
import { gaps, NO_PIXEL, worstByPixel } from './geometry'
import { hatch } from './hatch'

export const LOSS_STRIP_PX = 10
export const OUTCOME_STRIP_PX = 5
const STRIP_GAP_PX = 3
/** Room that the strips take between plot and time axis. */
export const STRIPS_PX = STRIP_GAP_PX * 3 + LOSS_STRIP_PX + OUTCOME_STRIP_PX

const UNKNOWN = 5

export function paintStrips(ctx: CanvasRenderingContext2D, frame: Frame, columns: Columns, look: ChartLook): void {
  const { dpr, left, width } = frame
  const half = columns.step / 2
  const edges = (i: number): [number, number] => [frame.x((columns.centre[i] ?? 0) - half) - left, frame.x((columns.centre[i] ?? 0) + half) - left]
  const silent = (i: number) => columns.state[i] !== Bucket.Data

  const lossTop = frame.top + frame.height + STRIP_GAP_PX * dpr
  ctx.fillStyle = look.raised
  ctx.fillRect(left, lossTop, width, LOSS_STRIP_PX * dpr)
  // Buckets whose loss is unknown leave the ground free.
  fillPixels(ctx, frame, worstByPixel(columns.lossGrade, i => silent(i) || columns.lossGrade[i] === UNKNOWN, edges, Math.round(width)), lossTop, LOSS_STRIP_PX * dpr, klass => [look.grades[klass] ?? look.muted, klass === 0 ? 0.4 : 1])

  const outcomeTop = lossTop + (LOSS_STRIP_PX + STRIP_GAP_PX) * dpr
  const height = OUTCOME_STRIP_PX * dpr
  for (const gap of gaps(columns)) {
    const a = Math.max(left, frame.x(gap.from))
    const b = Math.min(left + width, frame.x(gap.to))
    if (b > a)
      hatch(ctx, { x: a, y: outcomeTop, width: b - a, height }, { colour: gap.state === Bucket.None ? look.hatch : look.text, pitch: (gap.state === Bucket.None ? 6 : 3) * dpr, lineWidth: dpr, backwards: gap.state === Bucket.DeclaredLost })
  }
  fillPixels(ctx, frame, worstByPixel(columns.down, silent, edges, Math.round(width)), outcomeTop, height, down => down ? [look.grades[4] ?? look.muted, 1] : [look.grades[0] ?? look.muted, 0.4])
}

function fillPixels(ctx: CanvasRenderingContext2D, frame: Frame, pixels: Uint8Array, top: number, height: number, style: (klass: number) => [string, number]): void {
  let from = 0
  for (let k = 1; k <= pixels.length; k += 1) {
    const klass = pixels[from] ?? NO_PIXEL
    if (k < pixels.length && pixels[k] === klass)
      continue
    if (klass !== NO_PIXEL) {
      const [colour, alpha] = style(klass)
      ctx.globalAlpha = alpha
      ctx.fillStyle = colour
      ctx.fillRect(frame.left + from, top, k - from, height)
    }
    from = k
  }
  ctx.globalAlpha = 1
}
