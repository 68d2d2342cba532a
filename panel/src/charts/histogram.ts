// Bars of equal width from buckets of unequal width: a bucket that spans several bars is spread over them by its share.
import type { Histogram } from '@/api/types'

export interface Bar {
  readonly from: number
  readonly to: number
  readonly count: number
}

export function toBars(histogram: Pick<Histogram, 'lower' | 'upper' | 'counts' | 'min' | 'max'>, bars: number): Bar[] {
  const { min, max } = histogram
  if (min === null || max === null)
    return []
  const width = Math.max((max - min) / bars, 1)
  const out = Array.from({ length: bars }, () => 0)
  histogram.counts.forEach((n, i) => {
    // Exact ends are known, so the outer buckets are cut to them.
    const lower = Math.max(histogram.lower[i] ?? 0, min)
    const upper = Math.max(lower, Math.min(histogram.upper[i] ?? lower, max))
    const first = Math.min(bars - 1, Math.floor((lower - min) / width))
    const last = Math.min(bars - 1, Math.max(first, Math.ceil((upper - min) / width) - 1))
    if (first === last || upper <= lower) {
      out[first] = (out[first] ?? 0) + n
      return
    }
    for (let k = first; k <= last; k += 1) {
      const overlap = Math.min(upper, min + (k + 1) * width) - Math.max(lower, min + k * width)
      out[k] = (out[k] ?? 0) + n * Math.max(0, overlap) / (upper - lower)
    }
  })
  return out.map((n, k) => ({ from: min + k * width, to: min + (k + 1) * width, count: n }))
}
