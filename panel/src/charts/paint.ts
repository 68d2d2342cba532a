// Paints the inside of a smoke chart: gaps, percentile bands, the median coloured by loss, marks for what lies above
// the axis, events, and the two strips below. Knows a canvas and a frame, nothing of the library that owns the axes.
import type { Columns } from './columns'
import type { ChartLook } from './look'
import type { Stretch } from './geometry'
import { Bucket } from './columns'
import { bandPolygon, gaps, NO_PIXEL, stretches, worstByPixel } from './geometry'

export interface Frame {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  readonly dpr: number
  readonly x: (seconds: number) => number
  readonly y: (value: number) => number
  readonly yMax: number
}

export interface ChartEvent {
  readonly seconds: number
  readonly glyph: string
  readonly label: string
}

export const LOSS_STRIP_PX = 10
export const OUTCOME_STRIP_PX = 5
const STRIP_GAP_PX = 3
/** Room that the strips take between plot and time axis. */
export const STRIPS_PX = STRIP_GAP_PX * 3 + LOSS_STRIP_PX + OUTCOME_STRIP_PX

const GAP_WORD = { [Bucket.None]: 'no data', [Bucket.NotMeasured]: 'not measured', [Bucket.DeclaredLost]: 'lost by the agent' } as const
const LINE_DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [8, 3, 2, 3]]

type Ctx = CanvasRenderingContext2D

export function paint(ctx: Ctx, frame: Frame, columns: Columns, look: ChartLook, events: readonly ChartEvent[], before: Columns | null): void {
  ctx.save()
  ctx.beginPath()
  ctx.rect(frame.left, frame.top, frame.width, frame.height)
  ctx.clip()
  paintBands(ctx, frame, columns, look)
  paintGaps(ctx, frame, columns, look)
  if (before)
    paintBefore(ctx, frame, before, look)
  paintMedian(ctx, frame, columns, look)
  paintLines(ctx, frame, columns, look)
  paintOverflow(ctx, frame, columns, look)
  paintEvents(ctx, frame, events, look)
  ctx.restore()
  paintStrips(ctx, frame, columns, look)
}

function paintBands(ctx: Ctx, frame: Frame, columns: Columns, look: ChartLook): void {
  for (const { lo, hi, opacity } of columns.bands) {
    ctx.fillStyle = `rgb(${look.smoke} / ${opacity})`
    ctx.beginPath()
    for (const stretch of stretches(columns.count, lo, hi)) {
      bandPolygon(stretch, columns.centre, columns.step, lo, hi).forEach(([x, y], i) => {
        if (i === 0)
          ctx.moveTo(frame.x(x), frame.y(y))
        else
          ctx.lineTo(frame.x(x), frame.y(y))
      })
      ctx.closePath()
    }
    ctx.fill()
  }
}

function paintGaps(ctx: Ctx, frame: Frame, columns: Columns, look: ChartLook): void {
  for (const gap of gaps(columns)) {
    const a = Math.max(frame.left, frame.x(gap.from))
    const b = Math.min(frame.left + frame.width, frame.x(gap.to))
    if (b - a < 0.5)
      continue
    hatch(ctx, a, frame.top, b - a, frame.height, gap.state === Bucket.None ? look.lineStrong : look.muted, (gap.state === Bucket.NotMeasured ? 5 : 8) * frame.dpr, frame.dpr, gap.state === Bucket.DeclaredLost)
    gapWord(ctx, frame, a, b, GAP_WORD[gap.state as keyof typeof GAP_WORD], look)
  }
}

function hatch(ctx: Ctx, x: number, y: number, width: number, height: number, colour: string, pitch: number, lineWidth: number, backwards: boolean): void {
  ctx.save()
  ctx.beginPath()
  ctx.rect(x, y, width, height)
  ctx.clip()
  ctx.strokeStyle = colour
  ctx.lineWidth = lineWidth
  ctx.beginPath()
  // Anchored to the canvas, not to the gap: the pattern stands still while a live chart moves beneath it.
  for (let k = Math.floor((x - height) / pitch) * pitch; k < x + width; k += pitch) {
    ctx.moveTo(k, backwards ? y : y + height)
    ctx.lineTo(k + height, backwards ? y + height : y)
  }
  ctx.stroke()
  ctx.restore()
}

function gapWord(ctx: Ctx, frame: Frame, a: number, b: number, word: string, look: ChartLook): void {
  ctx.font = `${11 * frame.dpr}px Inter Variable, sans-serif`
  const width = ctx.measureText(word).width + 12 * frame.dpr
  if (b - a < width + 4 * frame.dpr)
    return
  const x = (a + b) / 2
  const y = frame.top + frame.height / 2
  ctx.fillStyle = look.surface
  ctx.fillRect(x - width / 2, y - 9 * frame.dpr, width, 18 * frame.dpr)
  ctx.fillStyle = look.muted
  ctx.textAlign = 'center'
  ctx.textBaseline = 'middle'
  ctx.fillText(word, x, y)
}

/** One path per loss class; straight segments; the ends of a stretch reach half a bucket, as the bands do. */
function paintMedian(ctx: Ctx, frame: Frame, columns: Columns, look: ChartLook): void {
  const { median, centre, step, lossGrade } = columns
  const paths = new Map<number, Path2D>()
  const segment = (klass: number, x0: number, y0: number, x1: number, y1: number) => {
    let path = paths.get(klass)
    if (!path) {
      path = new Path2D()
      paths.set(klass, path)
    }
    path.moveTo(frame.x(x0), frame.y(y0))
    path.lineTo(frame.x(x1), frame.y(y1))
  }
  for (const stretch of stretches(median.length, median))
    medianStretch(stretch, median, centre, step, lossGrade, segment)
  ctx.lineWidth = 1.75 * frame.dpr
  ctx.lineCap = 'round'
  // Worst last, so that trouble is never painted over.
  for (const klass of [...paths.keys()].sort((a, b) => a - b)) {
    const path = paths.get(klass)
    ctx.strokeStyle = klass < 2 ? look.series : look.grades[klass] ?? look.series
    if (path)
      ctx.stroke(path)
  }
}

function medianStretch(stretch: Stretch, median: Float64Array, centre: Float64Array, step: number, lossGrade: Uint8Array, segment: (klass: number, x0: number, y0: number, x1: number, y1: number) => void): void {
  const value = (i: number) => median[i] ?? Number.NaN
  const middle = (i: number) => centre[i] ?? Number.NaN
  // "No data" (5) says nothing about loss and is drawn as the plain series.
  const klass = (i: number) => (lossGrade[i] ?? 0) === 5 ? 0 : lossGrade[i] ?? 0
  const { first, last } = stretch
  segment(klass(first), middle(first) - step / 2, value(first), middle(first), value(first))
  for (let i = first + 1; i <= last; i += 1)
    segment(klass(i), middle(i - 1), value(i - 1), middle(i), value(i))
  segment(klass(last), middle(last), value(last), middle(last) + step / 2, value(last))
}

function paintLines(ctx: Ctx, frame: Frame, columns: Columns, look: ChartLook): void {
  ctx.lineWidth = 1.5 * frame.dpr
  columns.lines.forEach((line, k) => {
    ctx.strokeStyle = k % 2 === 0 ? look.series : look.baseline
    ctx.setLineDash((LINE_DASHES[Math.floor(k / 2) % LINE_DASHES.length] ?? []).map(d => d * frame.dpr))
    strokeValues(ctx, frame, columns, line.values)
  })
  ctx.setLineDash([])
}

function strokeValues(ctx: Ctx, frame: Frame, columns: Columns, values: Float64Array, shift = 0): void {
  ctx.beginPath()
  for (const { first, last } of stretches(values.length, values)) {
    const y = (i: number) => frame.y(values[i] ?? Number.NaN)
    const x = (i: number) => (columns.centre[i] ?? Number.NaN) + shift
    ctx.moveTo(frame.x(x(first) - columns.step / 2), y(first))
    for (let i = first; i <= last; i += 1)
      ctx.lineTo(frame.x(x(i)), y(i))
    ctx.lineTo(frame.x(x(last) + columns.step / 2), y(last))
  }
  ctx.stroke()
}

function paintBefore(ctx: Ctx, frame: Frame, before: Columns, look: ChartLook): void {
  ctx.strokeStyle = look.baseline
  ctx.lineWidth = 1.25 * frame.dpr
  ctx.setLineDash([5 * frame.dpr, 4 * frame.dpr])
  strokeValues(ctx, frame, before, before.median.length > 0 ? before.median : before.lines[0]?.values ?? new Float64Array(0))
  ctx.setLineDash([])
}

function paintOverflow(ctx: Ctx, frame: Frame, columns: Columns, look: ChartLook): void {
  const top = columns.bands[0]?.hi
  if (!top)
    return
  ctx.fillStyle = look.muted
  ctx.beginPath()
  for (let i = 0; i < columns.count; i += 1) {
    if (!((top[i] ?? Number.NaN) > frame.yMax))
      continue
    const x = frame.x(columns.centre[i] ?? 0)
    ctx.moveTo(x, frame.top + frame.dpr)
    ctx.lineTo(x - 3 * frame.dpr, frame.top + 6 * frame.dpr)
    ctx.lineTo(x + 3 * frame.dpr, frame.top + 6 * frame.dpr)
  }
  ctx.fill()
}

function paintEvents(ctx: Ctx, frame: Frame, events: readonly ChartEvent[], look: ChartLook): void {
  ctx.font = `600 ${11 * frame.dpr}px Inter Variable, sans-serif`
  ctx.textAlign = 'left'
  ctx.textBaseline = 'alphabetic'
  let free = Number.NEGATIVE_INFINITY
  for (const event of [...events].sort((a, b) => a.seconds - b.seconds)) {
    const x = frame.x(event.seconds)
    if (x < frame.left || x > frame.left + frame.width)
      continue
    ctx.strokeStyle = look.muted
    ctx.lineWidth = frame.dpr
    ctx.setLineDash([2 * frame.dpr, 3 * frame.dpr])
    ctx.beginPath()
    ctx.moveTo(x, frame.top)
    ctx.lineTo(x, frame.top + frame.height)
    ctx.stroke()
    ctx.setLineDash([])
    const text = `${event.glyph} ${event.label}`
    if (x < free)
      continue
    const width = ctx.measureText(text).width
    // At the right edge the word stands before its line.
    const before = x + width + 8 * frame.dpr > frame.left + frame.width
    ctx.fillStyle = look.text
    ctx.fillText(text, before ? x - width - 4 * frame.dpr : x + 4 * frame.dpr, frame.top + 14 * frame.dpr)
    free = x + width + 10 * frame.dpr
  }
}

/** Loss: the worst bucket of each pixel column. Outcome: up, down, not measured and no data, which all look different. */
function paintStrips(ctx: Ctx, frame: Frame, columns: Columns, look: ChartLook): void {
  const { dpr, left, width } = frame
  const half = columns.step / 2
  const edges = (i: number): [number, number] => [frame.x((columns.centre[i] ?? 0) - half) - left, frame.x((columns.centre[i] ?? 0) + half) - left]
  const silent = (i: number) => columns.state[i] !== Bucket.Data

  const lossTop = frame.top + frame.height + STRIP_GAP_PX * dpr
  ctx.fillStyle = look.raised
  ctx.fillRect(left, lossTop, width, LOSS_STRIP_PX * dpr)
  // The last grade is "no data": such buckets leave the ground free.
  fillPixels(ctx, frame, worstByPixel(columns.lossGrade, i => silent(i) || columns.lossGrade[i] === 5, edges, Math.round(width)), lossTop, LOSS_STRIP_PX * dpr, klass => [look.grades[klass] ?? look.muted, klass === 0 ? 0.4 : 1])

  const outcomeTop = lossTop + (LOSS_STRIP_PX + STRIP_GAP_PX) * dpr
  const height = OUTCOME_STRIP_PX * dpr
  for (const gap of gaps(columns)) {
    const a = Math.max(left, frame.x(gap.from))
    const b = Math.min(left + width, frame.x(gap.to))
    if (b > a)
      hatch(ctx, a, outcomeTop, b - a, height, gap.state === Bucket.None ? look.lineStrong : look.text, (gap.state === Bucket.None ? 6 : 3) * dpr, dpr, gap.state === Bucket.DeclaredLost)
  }
  fillPixels(ctx, frame, worstByPixel(columns.down, silent, edges, Math.round(width)), outcomeTop, height, down => down ? [look.grades[4] ?? look.muted, 1] : [look.grades[0] ?? look.muted, 0.4])
}

function fillPixels(ctx: Ctx, frame: Frame, pixels: Uint8Array, top: number, height: number, style: (klass: number) => [string, number]): void {
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
