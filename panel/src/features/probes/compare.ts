// Which probes are compared: ids in the URL, each once, at most eight.
export const COMPARE_MAX = 8

export function compareIds(query: unknown): string[] {
  return typeof query === 'string' ? [...new Set(query.split(',').filter(id => id !== ''))].slice(0, COMPARE_MAX) : []
}

/** One top for all charts; none when their units differ, which one axis cannot show. */
export function sharedTop(tops: readonly { readonly unit: string, readonly top: number }[]): number | undefined {
  const unit = tops[0]?.unit
  return unit !== undefined && tops.every(entry => entry.unit === unit) ? Math.max(...tops.map(entry => entry.top)) : undefined
}
