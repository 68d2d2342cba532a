// Which moment of the path is shown: in the URL as `at` (epoch milliseconds; absent: now) and `focus` (seconds). A path
// is made of the runs in (at - focus, at].
import type { LocationQuery } from 'vue-router'
import type { PathChange } from './types'

export const FOCUSES = [60, 600, 3600, 21_600, 86_400] as const
export const DEFAULT_FOCUS = 600

export interface Moment {
  /** Nothing: now, and it moves on. */
  readonly atMs: number | null
  readonly focusS: number
  /** The other moment of a comparison. */
  readonly beforeMs: number | null
}

const EPOCH_MS = /^\d{10,14}$/
const ms = (value: unknown): number | null => typeof value === 'string' && EPOCH_MS.test(value) ? Number(value) : null

export function momentOf(query: LocationQuery): Moment {
  const focus = Number(query.focus)
  return { atMs: ms(query.at), focusS: FOCUSES.find(entry => entry === focus) ?? DEFAULT_FOCUS, beforeMs: ms(query.before) }
}

export function momentQuery({ atMs, focusS, beforeMs }: Moment): { at: string | undefined, focus: string | undefined, before: string | undefined } {
  const text = (value: number | null) => value === null ? undefined : String(Math.round(value))
  return { at: text(atMs), focus: focusS === DEFAULT_FOCUS ? undefined : String(focusS), before: text(beforeMs) }
}

const changeMs = (change: Pick<PathChange, 'at_us'>) => Math.floor(change.at_us / 1000)

/**
 * The moment whose focus begins with the run that first saw the change: nothing older is in it. Of a young change that is
 * a shorter focus than asked for, so that it does not reach back before the change either.
 */
export function landing(change: Pick<PathChange, 'at_us'>, focusS: number, nowMs: number): { atMs: number, focusS: number } {
  const age = (nowMs - changeMs(change)) / 1000
  const focus = FOCUSES.filter(entry => entry <= Math.min(focusS, age)).at(-1) ?? FOCUSES[0]
  return { atMs: Math.min(nowMs, changeMs(change) + focus * 1000 - 1), focusS: focus }
}

/** The last moment that had seen nothing of the change. */
export function momentBefore(change: Pick<PathChange, 'at_us'>): number {
  return changeMs(change) - 1
}

/** The change before or after the one with which the shown focus begins; each is visited once however close they are. */
export function neighbour(changes: readonly PathChange[], moment: Moment, direction: -1 | 1): PathChange | undefined {
  const begin = moment.atMs === null ? Number.POSITIVE_INFINITY : moment.atMs - moment.focusS * 1000 + 1
  return direction < 0 ? changes.filter(change => changeMs(change) < begin).at(-1) : changes.find(change => changeMs(change) > begin)
}

/** The newest change that the shown moment can have seen. */
export function lastChange(changes: readonly PathChange[], moment: Moment): PathChange | undefined {
  return changes.filter(change => moment.atMs === null || changeMs(change) <= moment.atMs).at(-1)
}

export function focusText(seconds: number): string {
  if (seconds < 3600)
    return `${seconds / 60} min`
  return `${seconds / 3600} h`
}
