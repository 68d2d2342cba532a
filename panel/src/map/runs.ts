// Runs of hops that only hand on, one behind the other, and are well: drawn as one "··3··".
import type { MapView, ViewNode } from './view'

const SHORTEST = 3
const SHORTEST_SILENT = 2

function plain(node: ViewNode): boolean {
  if (node.kind === 'anonymous')
    return true
  return node.kind === 'router' && (node.grade === 'excellent' || node.grade === 'good')
}

/** Each run as drawn nodes in their order. What is opened stays as it is. */
export function runsOf(view: MapView, open: ReadonlySet<string>): number[][] {
  const count = view.nodes.length
  const next = new Int32Array(count).fill(-1)
  const previous = new Int32Array(count).fill(-1)
  const out = new Int32Array(count)
  const into = new Int32Array(count)
  for (const { source, target } of view.edges) {
    out[source] = (out[source] ?? 0) + 1
    into[target] = (into[target] ?? 0) + 1
    next[source] = target
    previous[target] = source
  }
  const inRun = view.nodes.map((node, i) => plain(node) && out[i] === 1 && into[i] === 1)
  // A run stays inside one opened group.
  const goesOn = (from: number, to: number) => to >= 0 && inRun[to] === true && view.nodes[from]?.band === view.nodes[to]?.band
  const runs: number[][] = []
  for (let i = 0; i < count; i += 1) {
    const before = previous[i] ?? -1
    if (!inRun[i] || (before >= 0 && inRun[before] && goesOn(before, i)))
      continue
    const run = [i]
    for (let to = next[i] ?? -1; goesOn(run.at(-1) ?? i, to) && to !== i; to = next[to] ?? -1)
      run.push(to)
    const silent = run.every(at => view.nodes[at]?.kind === 'anonymous')
    if (run.length >= (silent ? SHORTEST_SILENT : SHORTEST) && !open.has(`run:${view.nodes[i]?.key ?? ''}`))
      runs.push(run)
  }
  return runs
}
