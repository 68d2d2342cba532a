// The problems of the picture in the order in which they are looked at: the worst first, then what concerns most paths.
import type { MapView } from './view'
import { urgency } from '@/lib/grade'
import { isTrouble } from './view'

export function problemsOf(view: MapView): string[] {
  return view.nodes
    .filter(node => isTrouble(node.grade))
    .sort((a, b) => urgency(a.grade) - urgency(b.grade) || b.paths - a.paths || (a.key < b.key ? -1 : 1))
    .map(node => node.key)
}

/** From one to the next, round and round; from nowhere to the first, or backwards to the last. */
export function nextProblem(problems: readonly string[], current: string | undefined, direction: 1 | -1): string | undefined {
  const at = current === undefined ? -1 : problems.indexOf(current)
  if (at < 0)
    return direction > 0 ? problems[0] : problems.at(-1)
  return problems[(at + direction + problems.length) % problems.length]
}
