// The strip under the map: buckets, moments and steps.
import type { TopologyTimeline } from './types'

export interface Span { readonly fromUs: number, readonly toUs: number }

export function spanOf(timeline: TopologyTimeline): Span {
  return { fromUs: timeline.from_us, toUs: timeline.from_us + timeline.step_us * timeline.grades.length }
}

/** The moment at a share of the strip's width, as the end of the bucket there: a map shows the time before a moment. */
export function momentAt(timeline: TopologyTimeline, share: number): number {
  const bucket = Math.min(timeline.grades.length - 1, Math.max(0, Math.floor(share * timeline.grades.length)))
  return timeline.from_us + (bucket + 1) * timeline.step_us
}

/** Where a moment lies on the strip, 0 to 1. */
export function shareOf(timeline: TopologyTimeline, us: number): number {
  const { fromUs, toUs } = spanOf(timeline)
  return toUs <= fromUs ? 1 : Math.min(1, Math.max(0, (us - fromUs) / (toUs - fromUs)))
}

/** The bucket that ends at or holds a moment. */
export function bucketOf(timeline: TopologyTimeline, us: number): number {
  const bucket = Math.ceil((us - timeline.from_us) / timeline.step_us) - 1
  return Math.min(timeline.grades.length - 1, Math.max(0, bucket))
}

export function stepped(timeline: TopologyTimeline, us: number, buckets: number): number {
  const to = Math.min(timeline.grades.length - 1, Math.max(0, bucketOf(timeline, us) + buckets))
  return timeline.from_us + (to + 1) * timeline.step_us
}

/** The next change of a route in a direction, shown a bucket after it so that it is on the map; null when there is none. */
export function nextChange(timeline: TopologyTimeline, us: number, direction: -1 | 1): number | null {
  const moments = timeline.changes.map(change => change.at_us).sort((a, b) => a - b)
  const shown = (at: number) => at + timeline.step_us
  const found = direction > 0 ? moments.find(at => shown(at) > us) : moments.findLast(at => shown(at) < us)
  return found === undefined ? null : shown(found)
}
