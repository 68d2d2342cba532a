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

/** A map shows what was measured in so long a time before its moment. */
export const WINDOW_US = 600e6

/** The moment from which on nothing older than a change is on the map; not beyond the end of the line. */
function after(timeline: TopologyTimeline, changeUs: number, windowUs: number): number {
  return Math.min(spanOf(timeline).toUs, changeUs + windowUs - 1)
}

/** The next change of a route in a direction, as the moment that shows what came of it; null when there is none. */
export function nextChange(timeline: TopologyTimeline, us: number, direction: -1 | 1, windowUs = WINDOW_US): number | null {
  const moments = timeline.changes.map(change => after(timeline, change.at_us, windowUs)).sort((a, b) => a - b)
  return (direction > 0 ? moments.find(at => at > us) : moments.findLast(at => at < us)) ?? null
}

/** The last moment that had seen nothing of the last change before `us`; null when there is none. */
export function beforeLastChange(timeline: TopologyTimeline, us: number): number | null {
  const last = timeline.changes.map(change => change.at_us).filter(at => at < us).sort((a, b) => a - b).at(-1)
  return last === undefined ? null : last - 1
}
