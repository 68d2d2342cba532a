// Charts and tables as files.
import { saveBlob } from '@/lib/save'

/** The canvas of a chart on the ground of its card, so that it can be read outside the panel. */
export async function savePng(host: HTMLElement | null, name: string): Promise<void> {
  const canvas = host?.querySelector('canvas')
  if (!canvas)
    return
  const copy = document.createElement('canvas')
  copy.width = canvas.width
  copy.height = canvas.height
  const ctx = copy.getContext('2d')
  if (!ctx)
    return
  ctx.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--surface').trim()
  ctx.fillRect(0, 0, copy.width, copy.height)
  ctx.drawImage(canvas, 0, 0)
  const blob = await new Promise<Blob | null>(done => copy.toBlob(done, 'image/png'))
  if (blob)
    saveBlob(blob, name)
}

function csvField(value: string): string {
  // A leading sign or "=" would be a formula in a spreadsheet.
  const safe = /^[=+\-@\t\r]/.test(value) && Number.isNaN(Number(value)) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** RFC 4180. */
export function csv(rows: readonly (readonly string[])[]): string {
  return `${rows.map(row => row.map(csvField).join(',')).join('\r\n')}\r\n`
}

/** Custom properties mean nothing in a picture that stands alone: they become what they are worth now. */
export function resolvedColours(markup: string, valueOf: (name: string) => string): string {
  return markup.replaceAll(/var\((--[\w-]+)\)/g, (whole, name: string) => valueOf(name) || whole)
}

/** An SVG of the page as a picture of twice its size. */
export async function saveSvgAsPng(svg: SVGSVGElement | null, name: string): Promise<void> {
  if (!svg)
    return
  const style = getComputedStyle(document.documentElement)
  const { width, height } = svg.getBoundingClientRect()
  const copy = svg.cloneNode(true) as SVGSVGElement
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  copy.setAttribute('width', String(width * 2))
  copy.setAttribute('height', String(height * 2))
  copy.style.fontFamily = 'sans-serif'
  const image = new Image()
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(resolvedColours(copy.outerHTML, property => style.getPropertyValue(property).trim()))}`
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = width * 2
  canvas.height = height * 2
  const ctx = canvas.getContext('2d')
  if (!ctx)
    return
  ctx.fillStyle = style.getPropertyValue('--surface').trim()
  ctx.fillRect(0, 0, canvas.width, canvas.height)
  ctx.drawImage(image, 0, 0)
  const blob = await new Promise<Blob | null>(done => canvas.toBlob(done, 'image/png'))
  if (blob)
    saveBlob(blob, name)
}
