// What the map is drawn with: a canvas, or text that becomes an SVG. One painter serves both, so that a saved picture is
// what is on the page.

export interface Pen {
  fillStyle: string | CanvasGradient | CanvasPattern
  strokeStyle: string | CanvasGradient | CanvasPattern
  lineWidth: number
  globalAlpha: number
  font: string
  textAlign: CanvasTextAlign
  textBaseline: CanvasTextBaseline
  lineCap: CanvasLineCap
  beginPath: () => void
  closePath: () => void
  moveTo: (x: number, y: number) => void
  lineTo: (x: number, y: number) => void
  bezierCurveTo: (ax: number, ay: number, bx: number, by: number, x: number, y: number) => void
  arc: (x: number, y: number, r: number, from: number, to: number) => void
  ellipse: (x: number, y: number, rx: number, ry: number, rotation: number, from: number, to: number) => void
  rect: (x: number, y: number, w: number, h: number) => void
  roundRect: (x: number, y: number, w: number, h: number, r: number) => void
  fill: () => void
  stroke: () => void
  setLineDash: (dashes: number[]) => void
  fillRect: (x: number, y: number, w: number, h: number) => void
  fillText: (text: string, x: number, y: number, widthMax?: number) => void
}

const n = (value: number): string => String(Math.round(value * 100) / 100)
const ESCAPED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, sign => ESCAPED[sign] ?? '')

export class SvgPen implements Pen {
  fillStyle: Pen['fillStyle'] = '#000'
  strokeStyle: Pen['strokeStyle'] = '#000'
  lineWidth = 1
  globalAlpha = 1
  font = '11px sans-serif'
  textAlign: CanvasTextAlign = 'left'
  textBaseline: CanvasTextBaseline = 'middle'
  lineCap: CanvasLineCap = 'butt'
  private dashes: number[] = []
  private d: string[] = []
  private readonly parts: string[] = []

  beginPath(): void { this.d = [] }
  closePath(): void { this.d.push('Z') }
  moveTo(x: number, y: number): void { this.d.push(`M${n(x)} ${n(y)}`) }
  lineTo(x: number, y: number): void { this.d.push(`L${n(x)} ${n(y)}`) }
  bezierCurveTo(ax: number, ay: number, bx: number, by: number, x: number, y: number): void { this.d.push(`C${n(ax)} ${n(ay)} ${n(bx)} ${n(by)} ${n(x)} ${n(y)}`) }
  arc(x: number, y: number, r: number, from: number, to: number): void { this.ellipse(x, y, r, r, 0, from, to) }
  ellipse(x: number, y: number, rx: number, ry: number, _rotation: number, from: number, to: number): void {
    const at = (angle: number) => `${n(x + rx * Math.cos(angle))} ${n(y + ry * Math.sin(angle))}`
    const middle = (from + to) / 2
    const end = to - from >= 2 * Math.PI ? from : to
    // Two halves, neither of which is more than half a turn.
    this.d.push(`M${at(from)}A${n(rx)} ${n(ry)} 0 0 1 ${at(middle)}A${n(rx)} ${n(ry)} 0 0 1 ${at(end)}`)
  }

  rect(x: number, y: number, w: number, h: number): void { this.d.push(`M${n(x)} ${n(y)}h${n(w)}v${n(h)}h${n(-w)}Z`) }
  roundRect(x: number, y: number, w: number, h: number, r: number): void {
    const c = Math.min(r, w / 2, h / 2)
    const arc = (dx: number, dy: number) => `a${n(c)} ${n(c)} 0 0 1 ${n(dx)} ${n(dy)}`
    this.d.push(`M${n(x + c)} ${n(y)}h${n(w - 2 * c)}${arc(c, c)}v${n(h - 2 * c)}${arc(-c, c)}h${n(2 * c - w)}${arc(-c, -c)}v${n(2 * c - h)}${arc(c, -c)}Z`)
  }

  fill(): void { this.path(`fill="${escaped(String(this.fillStyle))}"`) }
  stroke(): void {
    const dashes = this.dashes.length > 0 ? ` stroke-dasharray="${this.dashes.map(n).join(' ')}"` : ''
    this.path(`fill="none" stroke="${escaped(String(this.strokeStyle))}" stroke-width="${n(this.lineWidth)}" stroke-linecap="${this.lineCap}"${dashes}`)
  }

  setLineDash(dashes: number[]): void { this.dashes = dashes }
  fillRect(x: number, y: number, w: number, h: number): void {
    this.beginPath()
    this.rect(x, y, w, h)
    this.fill()
  }

  fillText(text: string, x: number, y: number): void {
    const anchor = { left: 'start', start: 'start', center: 'middle', right: 'end', end: 'end' }[this.textAlign]
    const [size = '11px', ...family] = this.font.split(' ').slice(this.font.startsWith('600 ') ? 1 : 0)
    const weight = this.font.startsWith('600 ') ? ' font-weight="600"' : ''
    this.parts.push(`<text x="${n(x)}" y="${n(y)}" text-anchor="${anchor}" dominant-baseline="central" font-size="${size}" font-family="${escaped(family.join(' ').replaceAll('"', '\''))}"${weight} fill="${escaped(String(this.fillStyle))}"${this.alpha()}>${escaped(text)}</text>`)
  }

  toSvg(width: number, height: number): string {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${n(width)}" height="${n(height)}" viewBox="0 0 ${n(width)} ${n(height)}">\n${this.parts.join('\n')}\n</svg>\n`
  }

  private alpha(): string { return this.globalAlpha < 1 ? ` opacity="${n(this.globalAlpha)}"` : '' }
  private path(how: string): void {
    if (this.d.length > 0)
      this.parts.push(`<path d="${this.d.join('')}" ${how}${this.alpha()}/>`)
  }
}
