// What of a selection has loss and delay of its own: one router or target, or a link between two nodes.
import type { Focus } from './focus'
import type { MapView } from './view'
import { onlyOne } from './words'

export interface Place {
  /** Id of a node or of a link. */
  readonly id: string
  readonly link: boolean
  /** Probes whose paths pass there in what is shown, as many as may be named. */
  readonly probes: readonly string[]
}

const NAMED_MAX = 100

export function placeOfFocus(view: MapView, focus: Focus): Place | null {
  const nodes = focus.chosen.map(chosen => onlyOne(view, chosen))
  const [one, two] = nodes
  if (!one || nodes.length > 2 || (nodes.length === 2 && !two))
    return null
  if (two) {
    const link = view.graph.edges.find(edge => (edge.source === one.id && edge.target === two.id) || (edge.source === two.id && edge.target === one.id))
    const silent = one.kind === 'anonymous' || two.kind === 'anonymous'
    return link && !silent ? { id: link.id, link: true, probes: probesOf(view, focus) } : null
  }
  return one.kind === 'router' || one.kind === 'target' ? { id: one.id, link: false, probes: probesOf(view, focus) } : null
}

function probesOf(view: MapView, focus: Focus): string[] {
  return [...new Set(focus.paths.flatMap(path => view.graph.paths[path]?.probe ?? []))].slice(0, NAMED_MAX)
}
