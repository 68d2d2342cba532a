// Diagonal lines over a box, anchored to the canvas and not to the box: the pattern stands still while a live chart
// moves beneath it.
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface HatchStyle {
  readonly colour: string
  readonly pitch: number
  readonly lineWidth: number
  readonly backwards: boolean
}

export function hatch(ctx: CanvasRenderingContext2D, { x, y, width, height }: Box, { colour, pitch, lineWidth, backwards }: HatchStyle): void {
  ctx.save()
  ctx.beginPath()
  ctx.rect(x, y, width, height)
  ctx.clip()
  ctx.strokeStyle = colour
  ctx.lineWidth = lineWidth
  ctx.beginPath()
  for (let k = Math.floor((x - height) / pitch) * pitch; k < x + width; k += pitch) {
    ctx.moveTo(k, backwards ? y : y + height)
    ctx.lineTo(k + height, backwards ? y + height : y)
  }
  ctx.stroke()
  ctx.restore()
}
