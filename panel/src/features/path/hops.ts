// What a path says beyond its rows: the common scale of the bars, what happened to the packet, and one sentence.
import type { Hop, HopInterface, MplsEntry, Path } from './types'
import { count, DASH, duration, joined, percent, plural, share } from '@/lib/format'

export const hopHost = ({ name, address }: Pick<Hop, 'name' | 'address'>): string => name || address || 'no reply'
export const hopTitle = (hop: Pick<Hop, 'name' | 'address' | 'ttl'>): string => `Hop ${hop.ttl}, ${hopHost(hop)}`

/** The bars' right end: the slowest answer, rounded up to 1, 2 or 5 of its power of ten. */
export function barScale(hops: readonly Pick<Hop, 'rtt'>[]): number {
  const top = Math.max(...hops.map(hop => hop.rtt?.max_us ?? 0), 1)
  const power = 10 ** Math.floor(Math.log10(top))
  return [1, 1.5, 2, 3, 5, 7.5, 10].map(n => n * power).find(n => n >= top - 1e-9) ?? top
}

const ROLES = ['incoming interface', 'sub-interface', 'outgoing interface', 'next hop']

export function interfaceText(entry: HopInterface): string {
  const name = [entry.name, entry.index === null ? '' : `index ${entry.index}`].filter(Boolean).join(', ')
  return [ROLES[entry.role] ?? `role ${entry.role}`, name, entry.address ?? '', entry.mtu === null ? '' : `MTU ${entry.mtu}`].filter(Boolean).join(' · ')
}

export function mplsText(entry: MplsEntry): string {
  return `label ${entry.label}, class ${entry.traffic_class}, TTL ${entry.ttl}${entry.bottom ? ', bottom of the stack' : ''}`
}

const DSCP_NAMES: Readonly<Record<number, string>> = {
  0: 'best effort', 8: 'CS1', 10: 'AF11', 12: 'AF12', 14: 'AF13', 16: 'CS2', 18: 'AF21', 20: 'AF22', 22: 'AF23', 24: 'CS3', 26: 'AF31', 28: 'AF32', 30: 'AF33', 32: 'CS4', 34: 'AF41', 36: 'AF42', 38: 'AF43', 40: 'CS5', 44: 'VA', 46: 'EF', 48: 'CS6', 56: 'CS7',
}
const ECN_NAMES = ['not capable', 'ECT(1)', 'ECT(0)', 'congestion experienced']

/** What the packet looked like when it came by, where it was not as it had been sent. */
export function alteredRows({ altered }: Pick<Hop, 'altered'>): { label: string, value: string }[] {
  const rows: { label: string, value: string }[] = []
  if (altered.ttl !== null)
    rows.push({ label: 'TTL on arrival', value: String(altered.ttl) })
  if (altered.dscp !== null)
    rows.push({ label: 'DSCP', value: `${altered.dscp}${DSCP_NAMES[altered.dscp] === undefined ? '' : ` (${DSCP_NAMES[altered.dscp]})`}` })
  if (altered.ecn !== null)
    rows.push({ label: 'ECN', value: `${altered.ecn} (${ECN_NAMES[altered.ecn] ?? 'unknown'})` })
  if (altered.mss !== null)
    rows.push({ label: 'TCP MSS', value: count(altered.mss) })
  const { nat } = altered
  if (nat) {
    if (nat.source !== null)
      rows.push({ label: 'Source address', value: nat.source })
    if (nat.destination !== null)
      rows.push({ label: 'Destination address', value: nat.destination })
    if (nat.ports)
      rows.push({ label: 'Ports', value: 'rewritten' })
  }
  return rows
}

/** In the row, in one word each. */
export function hopMarks(hop: Hop): string[] {
  const { altered } = hop
  return [
    hop.mpls.length > 0 ? `MPLS ${hop.mpls.map(entry => entry.label).join('/')}` : '',
    altered.nat ? 'NAT' : '', altered.dscp !== null ? `DSCP ${altered.dscp}` : '', altered.ecn !== null ? `ECN ${altered.ecn}` : '', altered.mss !== null ? `MSS ${altered.mss}` : '',
    hop.per_packet ? 'balanced per packet' : '',
  ].filter(mark => mark !== '')
}

/** The hops that stand for one TTL, those with the greater share first; a path that has only one there is alone. */
export function byTtl(hops: readonly Hop[]): Map<number, Hop[]> {
  const found = new Map<number, Hop[]>()
  for (const hop of hops)
    found.set(hop.ttl, [...found.get(hop.ttl) ?? [], hop])
  return found
}

/** Where loss begins that goes on to the end: the first hop that loses packets. */
export function firstLossy(hops: readonly Hop[]): Hop | undefined {
  return hops.find(hop => hop.verdict === 'forwarding')
}

const named = (hop: Hop) => hop.name && hop.address ? `${hop.address} (${hop.name})` : hop.address ?? 'a router that never answers'

/** One sentence that a provider can be told. */
export function pathSentence(path: Path): string {
  if (path.runs === 0)
    return 'Nothing was measured.'
  // Somebody who says that it goes no further ends a path as well, but is not the target.
  const last = path.hops.filter(hop => hop.last && hop.answer !== 'unreachable')
  const [sent, received] = [last.reduce((sum, hop) => sum + hop.sent, 0), last.reduce((sum, hop) => sum + hop.received, 0)]
  const lossy = firstLossy(path.hops)
  const parts: string[] = []
  if (path.reached === false) {
    const furthest = path.hops.filter(hop => hop.received > 0).at(-1)
    parts.push(furthest ? `The target does not answer; the last that does is hop ${furthest.ttl}, ${named(furthest)}.` : 'Neither the target nor any router answers.')
  }
  if (path.black_hole)
    parts.push(`${path.black_hole.mtu === null ? 'Large packets' : `Packets larger than ${path.black_hole.mtu} bytes`} vanish behind hop ${path.black_hole.after_ttl} without a word.`)
  if (lossy)
    parts.push(lossy.last && path.reached !== false
      ? `The target itself is the first to miss packets: ${share(lossy.sent - lossy.received, lossy.sent)}.`
      : `Loss begins at hop ${lossy.ttl}, ${named(lossy)}: ${share(lossy.sent - lossy.received, lossy.sent)}; the hops behind see it as well.`)
  if (sent > 0 && path.reached !== false)
    parts.push(received === sent ? `The target answers all of ${count(sent)} packets${last[0]?.rtt ? `, ${joined(duration(last[0].rtt.mean_us))} on average` : ''}.` : `To the target ${share(sent - received, sent)} are lost.`)
  const limited = path.hops.filter(hop => hop.verdict === 'rate_limited').map(hop => hop.ttl)
  if (limited.length > 0)
    parts.push(`Hop ${[...new Set(limited)].join(', ')} only limits its replies, which is no loss.`)
  return parts.join(' ')
}

/** "2 of 5 routers …" for the head of the section. */
export function pathFacts(path: Path): string[] {
  const hopCount = Math.max(0, ...path.hops.filter(hop => hop.last).map(hop => hop.ttl))
  return [
    hopCount > 0 ? `${hopCount} hops` : `${Math.max(0, ...path.hops.map(hop => hop.ttl))} hops seen`,
    path.paths_total === 1 ? '1 path' : `${path.paths_total} paths`,
    path.mtu === null ? '' : `path MTU ${path.mtu}`,
    path.protocol.toUpperCase(),
    plural(path.runs, 'run'),
  ].filter(fact => fact !== '')
}

export const rttText = (us: number | null | undefined): string => us === null || us === undefined ? DASH : joined(duration(us))
export const shareText = (ratio: number): string => joined(percent(ratio))
