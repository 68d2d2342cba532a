// Two moments of a path side by side: rows that belong together stand in one line.
import type { ChangedPair, Hop, PathDiff } from './types'

export interface DiffRow {
  readonly key: string
  readonly ttl: number
  readonly before: Hop | null
  readonly after: Hop | null
  readonly change: 'same' | 'changed' | 'added' | 'removed'
  readonly pair: ChangedPair | null
}

/** More than what its own spread explains; of loss, any that the counts show. */
function isDifferent(pair: ChangedPair, before: Hop, after: Hop): boolean {
  const spread = (before.rtt?.deviation_us ?? 0) + (after.rtt?.deviation_us ?? 0)
  return before.verdict !== after.verdict || pair.loss_ratio_delta !== 0 || Math.abs(pair.rtt_mean_delta_us ?? 0) > spread
}

/** The partner of a hop is named by the API, or has its address at its TTL; what never answers pairs with the same. */
export function diffRows(diff: PathDiff): DiffRow[] {
  const pairs = new Map(diff.changed.map(pair => [pair.after, pair]))
  const [added, removed] = [new Set(diff.added), new Set(diff.removed)]
  const before = new Map(diff.before.hops.map(hop => [hop.id, hop]))
  const taken = new Set<string>()
  const rows: DiffRow[] = diff.after.hops.map((after) => {
    const pair = pairs.get(after.id) ?? null
    const partner = added.has(after.id) ? undefined : before.get(pair?.before ?? after.id)
    if (partner)
      taken.add(partner.id)
    return { key: `a${after.id}`, ttl: after.ttl, before: partner ?? null, after, pair, change: !partner ? 'added' : pair && isDifferent(pair, partner, after) ? 'changed' : 'same' }
  })
  for (const hop of diff.before.hops)
    if (!taken.has(hop.id))
      rows.push({ key: `b${hop.id}`, ttl: hop.ttl, before: hop, after: null, pair: null, change: removed.has(hop.id) || hop.address !== null ? 'removed' : 'same' })
  // Within a TTL what has gone stands before what has come.
  const order = { removed: 0, same: 1, changed: 2, added: 3 }
  return rows.sort((a, b) => a.ttl - b.ttl || order[a.change] - order[b.change])
}

export const CHANGE_WORD = { same: 'as before', changed: 'changed', added: 'added', removed: 'removed' } as const
export const CHANGE_SIGN = { same: '', changed: '~', added: '+', removed: '−' } as const
