// Paints the inside of a smoke chart: gaps, percentile bands, the median coloured by loss, marks for what lies above
// the axis, events, and the two strips below. Knows a canvas and a frame, nothing of the library that owns the axes.
import type { Columns } from './columns'
import type { ChartEvent } from './paint-events'
import type { ChartLook } from './look'
import type { Stretch } from './geometry'
import { Bucket } from './columns'
import { gaps, stretches, traceBand } from './geometry'
import { hatch } from './hatch'
import { paintEvents } from './paint-events'
import { paintStrips } from './paint-strips'

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

/** Single values of the runs: one list of them at each moment. */
export interface Dots {
  readonly seconds: readonly number[]
  readonly values: readonly (readonly number[])[]
}

/** All that is drawn over one range. */
export interface Picture {
  readonly columns: Columns
  readonly before: Columns | null
  /** In the order of time. */
  readonly events: readonly ChartEvent[]
  readonly dots: Dots | null
  readonly look: ChartLook
}

const GAP_WORD = { [Bucket.None]: 'no data', [Bucket.NotMeasured]: 'not measured', [Bucket.DeclaredLost]: 'lost by the agent' } as const
const LINE_DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [8, 3, 2, 3]]

type Ctx = CanvasRenderingContext2D

export function paint(ctx: Ctx, frame: Frame, { columns, before, events, dots, look }: Picture): void {
  ctx.save()
  ctx.beginPath()
  ctx.rect(frame.left, frame.top, frame.width, frame.height)
  ctx.clip()
  paintUsual(ctx, frame, columns, look)
  paintBands(ctx, frame, columns, look)
  paintGaps(ctx, frame, columns, look)
  if (before)
    paintBefore(ctx, frame, before, look)
  if (dots)
    paintDots(ctx, frame, dots, look)
  paintMedian(ctx, frame, columns, look)
  paintLines(ctx, frame, columns, look)
  paintOverflow(ctx, frame, columns, look)
  paintEvents(ctx, frame, events, look)
  ctx.restore()
  paintStrips(ctx, frame, columns, look)
}

/** What is usual: a band of two deviations around a dashed mean. Steps by the hour are hours, and stay steps. */
function paintUsual(ctx: Ctx, frame: Frame, { usual, count, centre, step }: Columns, look: ChartLook): void {
  if (!usual)
    return
  ctx.fillStyle = look.baseline
  ctx.globalAlpha = 0.16
  const low = usual.mean.map((mean, i) => mean - 2 * (usual.sigma[i] ?? 0))
  const high = usual.mean.map((mean, i) => mean + 2 * (usual.sigma[i] ?? 0))
  fillBand(ctx, frame, count, centre, step, low, high)
  ctx.globalAlpha = 1
  ctx.strokeStyle = look.baseline
  ctx.lineWidth = 1.25 * frame.dpr
  ctx.setLineDash([7 * frame.dpr, 4 * frame.dpr])
  strokeValues(ctx, frame, { centre, step }, usual.mean)
  ctx.setLineDash([])
}

/** Every packet where there is room for them; what many share is darker. */
function paintDots(ctx: Ctx, frame: Frame, dots: Dots, look: ChartLook): void {
  const size = 2 * frame.dpr
  ctx.fillStyle = look.series
  ctx.globalAlpha = 0.45
  dots.seconds.forEach((seconds, i) => {
    const x = frame.x(seconds) - size / 2
    for (const value of dots.values[i] ?? [])
      ctx.fillRect(x, frame.y(value) - size / 2, size, size)
  })
  ctx.globalAlpha = 1
}

function paintBands(ctx: Ctx, frame: Frame, { bands, count, centre, step }: Columns, look: ChartLook): void {
  for (const { lo, hi, opacity } of bands) {
    ctx.fillStyle = `rgb(${look.smoke} / ${opacity})`
    fillBand(ctx, frame, count, centre, step, lo, hi)
  }
}

function fillBand(ctx: Ctx, frame: Frame, count: number, centre: Float64Array, step: number, lo: Float64Array, hi: Float64Array): void {
  ctx.beginPath()
  for (const stretch of stretches(count, lo, hi))
    traceBand(ctx, frame, stretch, centre, step, lo, hi)
  ctx.fill()
}

function paintGaps(ctx: Ctx, frame: Frame, columns: Columns, look: ChartLook): void {
  for (const gap of gaps(columns)) {
    const a = Math.max(frame.left, frame.x(gap.from))
    const b = Math.min(frame.left + frame.width, frame.x(gap.to))
    if (b - a < 0.5)
      continue
    hatch(ctx, { x: a, y: frame.top, width: b - a, height: frame.height }, { colour: gap.state === Bucket.None ? look.hatch : look.muted, pitch: (gap.state === Bucket.NotMeasured ? 5 : 8) * frame.dpr, lineWidth: frame.dpr, backwards: gap.state === Bucket.DeclaredLost })
    gapWord(ctx, frame, a, b, GAP_WORD[gap.state as keyof typeof GAP_WORD], look)
  }
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

function strokeValues(ctx: Ctx, frame: Frame, { centre, step }: Pick<Columns, 'centre' | 'step'>, values: Float64Array): void {
  ctx.beginPath()
  for (const { first, last } of stretches(values.length, values)) {
    const y = (i: number) => frame.y(values[i] ?? Number.NaN)
    const x = (i: number) => centre[i] ?? Number.NaN
    ctx.moveTo(frame.x(x(first) - step / 2), y(first))
    for (let i = first; i <= last; i += 1)
      ctx.lineTo(frame.x(x(i)), y(i))
    ctx.lineTo(frame.x(x(last) + step / 2), y(last))
  }
  ctx.stroke()
}

function paintBefore(ctx: Ctx, frame: Frame, before: Columns, look: ChartLook): void {
  ctx.strokeStyle = look.muted
  ctx.lineWidth = 1.5 * frame.dpr
  ctx.setLineDash([2 * frame.dpr, 3 * frame.dpr])
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
