// From the topology and the URL to what is drawn and listed. Pure steps, each kept until what it depends on changes.
import type { ComputedRef, Ref } from 'vue'
import type { Comparison } from '@/map/compare'
import type { Matches } from '@/map/filter'
import type { Focus } from '@/map/focus'
import type { MapGraph } from '@/map/graph'
import type { Grouping } from '@/map/grouping'
import type { Topology } from '@/map/types'
import type { MapView } from '@/map/view'
import type { MapState } from './useMapState'
import { computed } from 'vue'
import { compare } from '@/map/compare'
import { matchesOf, viewMatches } from '@/map/filter'
import { chosenByKey, focusOf } from '@/map/focus'
import { makeGraph } from '@/map/graph'
import { chosenGrouping } from '@/map/grouping'
import { changesOf } from '@/map/changes'
import { makeView } from '@/map/view'

export interface MapModel {
  readonly comparison: ComputedRef<Comparison | null>
  readonly graph: ComputedRef<MapGraph | null>
  readonly grouping: ComputedRef<Grouping | null>
  readonly view: ComputedRef<MapView | null>
  readonly matches: ComputedRef<Matches | null>
  readonly drawnMatches: ComputedRef<{ nodes: Uint8Array, edges: Uint8Array } | null>
  readonly changes: ComputedRef<{ nodes: Uint8Array, edges: Uint8Array } | null>
  readonly selection: ComputedRef<Focus | null>
  /** The selection, or else what is pointed at. */
  readonly focus: ComputedRef<Focus | null>
  readonly centre: ComputedRef<number>
  /** What can be grouped by, from what is known of agents and targets. */
  readonly offers: ComputedRef<{ readonly site: boolean, readonly label: boolean, readonly targetLabel: boolean }>
}

/** Before and after, whichever of the two moments was named first. */
function compared(here: Topology, other: Topology): Comparison {
  return here.at_us >= other.at_us ? compare(other, here) : compare(here, other)
}

export function useMapModel(topology: Readonly<Ref<Topology | null>>, other: Readonly<Ref<Topology | null>>, state: Readonly<Ref<MapState>>, pointed: Readonly<Ref<string>>): MapModel {
  const comparison = computed(() => topology.value && other.value ? compared(topology.value, other.value) : null)
  const graph = computed(() => topology.value ? makeGraph(comparison.value?.both ?? topology.value) : null)
  // Queries of other parts of the page's URL must not build everything anew.
  const asked = computed(() => JSON.stringify([state.value.agents, state.value.hops, state.value.targets, state.value.fold, state.value.open]))
  const grouping = computed(() => {
    if (!graph.value)
      return null
    const [agents, hops, targets, fold, open] = JSON.parse(asked.value) as [MapState['agents'] | null, MapState['hops'] | null, MapState['targets'] | null, boolean | null, string[]]
    return chosenGrouping(graph.value, { ...(agents ? { agents } : {}), ...(hops ? { hops } : {}), ...(targets ? { targets } : {}), ...(fold === null ? {} : { fold }) }, new Set(open))
  })
  const view = computed(() => graph.value && grouping.value ? makeView(graph.value, grouping.value) : null)
  const criteria = computed(() => JSON.stringify(state.value.criteria))
  const matches = computed(() => graph.value ? matchesOf(graph.value, JSON.parse(criteria.value) as MapState['criteria']) : null)
  const selected = computed(() => state.value.selected.join('\n'))
  const focusBy = (keys: readonly string[], pair: boolean) => {
    const drawn = view.value
    const chosen = drawn ? keys.flatMap(key => chosenByKey(drawn, key) ?? []) : []
    return drawn && chosen.length > 0 ? focusOf(drawn, chosen, pair) : null
  }
  const selection = computed(() => selected.value === '' ? null : focusBy(selected.value.split('\n'), state.value.pair))
  return {
    comparison, graph, grouping, view, matches, selection,
    drawnMatches: computed(() => view.value ? viewMatches(view.value, matches.value) : null),
    changes: computed(() => view.value && comparison.value ? changesOf(view.value, comparison.value) : null),
    focus: computed(() => selection.value ?? (pointed.value === '' ? null : focusBy([pointed.value], false))),
    centre: computed(() => view.value && state.value.centre !== '' ? chosenByKey(view.value, state.value.centre)?.node ?? -1 : -1),
    offers: computed(() => {
      const has = (kind: 'agent' | 'target', test: (labels: readonly string[], site: string | null) => boolean) => graph.value?.nodes.some(node => node.kind === kind && test(node.labels ?? [], node.site)) ?? false
      return { site: has('agent', (_, site) => Boolean(site)), label: has('agent', labels => labels.length > 0), targetLabel: has('target', labels => labels.length > 0) }
    }),
  }
}
