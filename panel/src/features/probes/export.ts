// Files made in the browser.

export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name.replaceAll(/[^\w.\-→ ]+/g, '_')
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

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
