// Names, addresses and numbers of the map as people read them. Names come from the network: they are text, and what
// would turn or hide other text is taken out.
import type { Chosen, Focus } from './focus'
import type { HopVerdict, TopologyNode } from './types'
import type { MapView, ViewNode } from './view'
import { joined, percent, plural, unitText } from '@/lib/format'
import { GRADE_LOOK } from '@/lib/grade'
import { isGraded } from './types'

// Control characters, and marks that change the direction of what follows.
const HIDDEN = /[\u0000-\u001F\u007F-\u009F\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/g
const LONGEST = 253

export function plainText(text: string): string {
  return text.slice(0, LONGEST).replaceAll(HIDDEN, '\uFFFD')
}

export const VERDICT_WORD: Readonly<Record<HopVerdict, string>> = {
  none: '',
  forwarding: 'forwards',
  rate_limited: 'limits its own replies; this is not loss',
  silent: 'does not reply; this is not loss',
  filtered: 'a filter answers',
}

export const KIND_WORD: Readonly<Record<ViewNode['kind'], string>> = { agent: 'Agent', router: 'Hop', anonymous: 'No reply', target: 'Target', group: 'Group', run: 'Run' }
const MEMBERS_WORD = { agent: 'agent', hop: 'hop', target: 'target' } as const

export function nodeName(node: TopologyNode): string {
  if (node.kind === 'anonymous')
    return 'no reply'
  return plainText(node.name || node.address || node.id)
}

/** The address, where it is not the name already. */
export function nodeAddress(node: TopologyNode): string {
  return node.address !== null && node.name !== '' && node.name !== node.address ? node.address : ''
}

export function viewName(node: ViewNode, graphNodes: readonly TopologyNode[]): string {
  if (node.kind === 'group')
    return plainText(node.label)
  if (node.kind === 'run')
    return plural(node.members.length, 'hop')
  const only = graphNodes[node.members[0] ?? -1]
  return only ? nodeName(only) : plainText(node.label)
}

export function kindWord(node: ViewNode): string {
  if (node.kind === 'group')
    return plural(node.members.length, MEMBERS_WORD[node.of])
  return node.kind === 'run' ? 'Folded run' : KIND_WORD[node.kind]
}

export function lossText(ratio: number | null): string {
  return joined(percent(ratio))
}

export function delayText(us: number | null): string {
  return unitText(us, 'us')
}

/** "Shared by 7 of 472 paths." */
export function sharedText(focus: Focus, total: number): string {
  return `${focus.paths.length} of ${plural(total, 'path')}`
}

/** The node that is meant, where it is one and no group. */
export function onlyOne(view: MapView, chosen: Chosen): TopologyNode | undefined {
  return chosen.members.length === 1 ? view.graph.nodes[chosen.members[0] ?? -1] : undefined
}

/** One sentence for the live region. */
export function announcement(view: MapView, focus: Focus): string {
  const names = focus.chosen.slice(0, 3).flatMap((chosen) => {
    const node = view.nodes[chosen.node]
    const only = onlyOne(view, chosen)
    if (!node)
      return []
    const kind = only?.kind ?? node.kind
    const grade = isGraded(only ?? node) ? GRADE_LOOK[only?.grade ?? node.grade].word.toLowerCase() : 'not graded'
    const loss = only && (only.forwarding_loss_ratio ?? 0) > 0 ? `, forwarding loss ${lossText(only.forwarding_loss_ratio)}` : ''
    const what = kind === 'anonymous' ? 'a hop that does not reply' : `${only ? nodeName(only) : viewName(node, view.graph.nodes)}, ${(only ? KIND_WORD[only.kind] : kindWord(node)).toLowerCase()}`
    return [`${what}, ${grade}${loss}`]
  })
  const more = focus.chosen.length > 3 ? ` and ${focus.chosen.length - 3} more` : ''
  return `${names.join('; ')}${more}: on ${sharedText(focus, view.graph.paths.length)}, from ${plural(focus.agents.length, 'agent')} to ${plural(focus.targets.length, 'target')}`
}

/** As much of a text as fits into so many pixels. */
export function clipped(text: string, pixels: number, perSign: number): string {
  const signs = Math.floor(pixels / perSign)
  if (text.length <= signs)
    return text
  if (signs < 3)
    return ''
  // Neighbours' addresses differ at their ends.
  return /^[\d.]+$|^[\da-f:]*:[\da-f:.]*$/i.test(text) ? `…${text.slice(1 - signs)}` : `${text.slice(0, signs - 1)}…`
}
