// Events on a chart: dotted verticals with a glyph and a word, spans shaded. Words that would overlap are left out; the
// list of events below the chart has all of them.
import type { ChartLook } from './look'
import type { Frame } from './paint'

export interface ChartEvent {
  readonly seconds: number
  /** End of a span. */
  readonly until?: number
  readonly glyph: string
  readonly label: string
  /** What a person wrote stands out from what the system saw. */
  readonly strong?: boolean
}

const LABEL_MAX = 28
const ROW_PX = 14

function words({ glyph, label }: ChartEvent): string {
  return `${glyph} ${label.length > LABEL_MAX ? `${label.slice(0, LABEL_MAX - 1)}…` : label}`
}

function shade(ctx: CanvasRenderingContext2D, frame: Frame, event: ChartEvent, look: ChartLook): void {
  if (event.until === undefined)
    return
  const a = Math.max(frame.left, frame.x(event.seconds))
  const b = Math.min(frame.left + frame.width, frame.x(event.until))
  if (b <= a)
    return
  ctx.globalAlpha = 0.1
  ctx.fillStyle = look.accent
  ctx.fillRect(a, frame.top, b - a, frame.height)
  ctx.globalAlpha = 1
}

function vertical(ctx: CanvasRenderingContext2D, frame: Frame, x: number, colour: string): void {
  ctx.strokeStyle = colour
  ctx.lineWidth = frame.dpr
  ctx.setLineDash([2 * frame.dpr, 3 * frame.dpr])
  ctx.beginPath()
  ctx.moveTo(x, frame.top)
  ctx.lineTo(x, frame.top + frame.height)
  ctx.stroke()
  ctx.setLineDash([])
}

export function paintEvents(ctx: CanvasRenderingContext2D, frame: Frame, events: readonly ChartEvent[], look: ChartLook): void {
  ctx.font = `600 ${11 * frame.dpr}px Inter Variable, sans-serif`
  ctx.textAlign = 'left'
  ctx.textBaseline = 'alphabetic'
  // Two rows of words: what people wrote above what the system saw.
  const free = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const event of events) {
    shade(ctx, frame, event, look)
    const x = frame.x(event.seconds)
    if (x < frame.left || x > frame.left + frame.width)
      continue
    vertical(ctx, frame, x, event.strong ? look.accent : look.muted)
    const row = event.strong ? 0 : 1
    if (x < (free[row] ?? 0))
      continue
    const text = words(event)
    const width = ctx.measureText(text).width
    // At the right edge the word stands before its line.
    const before = x + width + 8 * frame.dpr > frame.left + frame.width
    ctx.fillStyle = look.text
    ctx.fillText(text, before ? x - width - 4 * frame.dpr : x + 4 * frame.dpr, frame.top + ROW_PX * (row + 1) * frame.dpr)
    free[row] = x + width + 10 * frame.dpr
  }
}
