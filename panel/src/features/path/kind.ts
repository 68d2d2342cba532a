// Which kinds have paths: those that declare a table of hops.
import type { Kind } from '@/api/types'
import type { ChartEvent } from '@/charts/paint-events'
import type { Moment } from './moment'

export function hasPaths(kind: Pick<Kind, 'columns'> | undefined): boolean {
  return kind?.columns.some(column => column.type === 'table' && column.name === 'hops') ?? false
}

/** The shown moments on the chart: what of the range the path below is made of. */
export function momentEvents({ atMs, focusS, beforeMs }: Moment): ChartEvent[] {
  const shaded = (ms: number, label: string): ChartEvent => ({ seconds: ms / 1000 - focusS, until: ms / 1000, glyph: '◎', label, strong: true })
  return [...(beforeMs === null ? [] : [shaded(beforeMs, 'compared')]), ...(atMs === null ? [] : [shaded(atMs, 'path shown')])]
}
