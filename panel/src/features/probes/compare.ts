// Which probes are compared: ids in the URL, each once, at most eight.
export const COMPARE_MAX = 8

export function compareIds(query: unknown): string[] {
  return typeof query === 'string' ? [...new Set(query.split(',').filter(id => id !== ''))].slice(0, COMPARE_MAX) : []
}
