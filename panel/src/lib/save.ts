// Files made in the browser.

export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name.replaceAll(/[^\w.\-→ ]+/g, '_')
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
