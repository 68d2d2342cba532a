// Loss is always said with its counts: "1 of 20".
import { count } from '@/lib/format'

type Values = Readonly<Record<string, number | null | undefined>>

export function lossCounts(metrics: Values): string {
  const { sent, received } = metrics
  return typeof sent === 'number' && typeof received === 'number' && sent > received ? `${count(sent - received)} of ${count(sent)}` : ''
}
