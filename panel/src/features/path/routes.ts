// The routes of a range: which there were, how much of the time, and where each leaves the commonest one.
import type { Route } from './types'

export interface RouteRow {
  readonly route: Route
  readonly number: number
  readonly hops: readonly { readonly ttl: number, readonly addresses: readonly string[], readonly differs: boolean }[]
  /** TTLs at which it is not as the commonest route. */
  readonly differsAt: readonly number[]
}

const key = (addresses: readonly string[] | undefined) => [...addresses ?? []].sort().join(' ')

/** What does not answer contradicts nothing. */
function differs(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return (a ?? []).length > 0 && (b ?? []).length > 0 ? key(a) !== key(b) : a === undefined || b === undefined
}

export function routeRows(routes: readonly Route[]): RouteRow[] {
  const common = routes[0]
  return routes.map((route, i) => {
    const length = Math.max(route.hops.length, common?.hops.length ?? 0)
    const hops = Array.from({ length }, (_, h) => ({ ttl: h + 1, addresses: route.hops[h] ?? [], differs: i > 0 && differs(route.hops[h], common?.hops[h]) }))
    return { route, number: i + 1, hops: hops.filter(hop => hop.ttl <= route.hops.length), differsAt: hops.filter(hop => hop.differs).map(hop => hop.ttl) }
  })
}

/** "hop 4", "hops 4 to 6", "hops 4, 6 to 8". */
export function ttlRanges(ttls: readonly number[]): string {
  const parts: string[] = []
  for (let i = 0; i < ttls.length;) {
    let j = i
    while (ttls[j + 1] === (ttls[j] ?? 0) + 1)
      j += 1
    parts.push(i === j ? String(ttls[i]) : `${ttls[i]} to ${ttls[j]}`)
    i = j + 1
  }
  return parts.length === 0 ? '' : `${ttls.length === 1 ? 'hop' : 'hops'} ${parts.join(', ')}`
}
