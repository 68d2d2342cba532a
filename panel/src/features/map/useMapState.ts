// What the page shows, as it stands in the URL: layout, grouping, highlight, selection, moment. Every view is a link.
import type { ComputedRef } from 'vue'
import type { LocationQuery, LocationQueryValue } from 'vue-router'
import type { Criteria } from '@/map/filter'
import type { AgentGrouping, HopGrouping, TargetGrouping } from '@/map/grouping'
import type { LayoutName } from '@/map/layout'
import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { GRADES } from '@/lib/grade'
import { LAYOUTS } from '@/map/layout'

export interface MapState {
  readonly layout: LayoutName
  readonly agents: AgentGrouping | undefined
  readonly hops: HopGrouping | undefined
  readonly targets: TargetGrouping | undefined
  readonly fold: boolean | undefined
  readonly open: readonly string[]
  readonly criteria: Criteria
  readonly selected: readonly string[]
  readonly pair: boolean
  readonly centre: string
  /** In epoch milliseconds; null: now. */
  readonly atMs: number | null
  /** The other moment of a comparison. */
  readonly otherMs: number | null
  readonly table: 'hops' | 'paths'
  readonly sort: string
}

type One = LocationQueryValue | LocationQueryValue[] | undefined
const first = (value: One): string => (Array.isArray(value) ? value[0] : value) ?? ''
const all = (value: One): string[] => (Array.isArray(value) ? value : [value]).flatMap(entry => entry ? [entry] : [])
const oneOf = <T extends string>(value: string, known: readonly T[]): T | undefined => known.find(entry => entry === value)
const moment = (value: string): number | null => /^\d{10,14}$/.test(value) ? Number(value) : null
const number = (value: string, most: number): number => value !== '' && Number(value) > 0 ? Math.min(most, Number(value)) : 0

export function stateOf(query: LocationQuery): MapState {
  const fold = first(query.fold)
  return {
    layout: oneOf(first(query.layout), LAYOUTS) ?? 'layered',
    agents: oneOf(first(query.agents), ['none', 'site', 'label'] as const),
    hops: oneOf(first(query.hops), ['none', '24', '16'] as const),
    targets: oneOf(first(query.targets), ['none', 'label'] as const),
    fold: fold === '' ? undefined : fold === '1',
    open: all(query.open),
    criteria: { text: first(query.q), grade: oneOf(first(query.grade), GRADES) ?? '', loss: number(first(query.loss), 1), delayUs: number(first(query.delay), 1e9), problems: first(query.problems) === '1' },
    selected: all(query.sel),
    pair: first(query.pair) === '1',
    centre: first(query.centre),
    atMs: moment(first(query.at)),
    otherMs: moment(first(query.vs)),
    table: oneOf(first(query.table), ['hops', 'paths'] as const) ?? 'hops',
    sort: first(query.sort),
  }
}

export interface MapStateControl {
  readonly state: ComputedRef<MapState>
  /** Puts values into the URL; undefined takes one out. `quiet` leaves no entry in the history: for what is dragged or typed. */
  readonly set: (values: Readonly<Record<string, string | readonly string[] | undefined>>, quiet?: boolean) => void
}

export function useMapState(): MapStateControl {
  const route = useRoute()
  const router = useRouter()
  return {
    state: computed(() => stateOf(route.query)),
    set: (values, quiet = false) => {
      const cleaned = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value === '' || (Array.isArray(value) && value.length === 0) ? undefined : value]))
      const to = { query: { ...route.query, ...cleaned } as LocationQuery }
      void (quiet ? router.replace(to) : router.push(to))
    },
  }
}
