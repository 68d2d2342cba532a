// The path as plain text for a provider's ticket: what was measured from where to where and when (UTC), each hop with
// its counts and what they mean.
import type { Hop, Path } from './types'
import { count, joined, percent } from '@/lib/format'
import { formatLocal } from '@/lib/zone'
import { pathSentence, shareText } from './hops'
import { limitText, VERDICT_WORDS } from './verdict'

const utc = (us: number) => `${formatLocal(us / 1000, 'UTC', true)} UTC`
const ms = (us: number | null | undefined) => us === null || us === undefined ? '-' : (us / 1000).toFixed(us < 10_000 ? 2 : 1)
// What comes from the network is one line of text, whatever it contains.
const clean = (text: string) => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')

function verdictText(hop: Hop): string {
  const { word } = VERDICT_WORDS[hop.verdict]
  const sure = hop.verdict === 'none' ? '' : ` (${joined(percent(hop.confidence))} sure)`
  const limit = hop.limit_per_second === null || hop.verdict !== 'rate_limited' ? '' : `, ${limitText(hop.limit_per_second)}`
  return `${hop.verdict === 'none' && hop.received === 0 ? 'No answer' : word}${limit}${sure}`
}

function columns(hop: Hop): string[] {
  const lost = hop.sent - hop.received
  return [
    String(hop.ttl), hop.address ?? '*', clean(hop.name ?? ''), hop.share < 1 ? shareText(hop.share) : '',
    hop.sent === 0 ? '-' : `${joined(percent(lost / hop.sent))} (${count(lost)} of ${count(hop.sent)})`,
    ms(hop.rtt?.min_us), ms(hop.rtt?.mean_us), ms(hop.rtt?.max_us), ms(hop.rtt?.deviation_us), verdictText(hop),
  ]
}

const HEAD = ['Hop', 'Address', 'Name', 'Share', 'Not answered', 'Best ms', 'Mean ms', 'Worst ms', 'StDev', 'Meaning']
const RIGHT = new Set([0, 3, 4, 5, 6, 7, 8])

function aligned(rows: readonly (readonly string[])[]): string[] {
  const used = HEAD.map((_, c) => rows.slice(1).some(row => (row[c] ?? '') !== ''))
  const width = HEAD.map((_, c) => Math.max(...rows.map(row => (row[c] ?? '').length)))
  return rows.map(row => row.map((text, c) => RIGHT.has(c) ? text.padStart(width[c] ?? 0) : text.padEnd(width[c] ?? 0)).filter((_, c) => used[c]).join('  ').trimEnd())
}

export function evidenceText(path: Path): string {
  const { name, address } = path.target
  const target = name !== '' && address !== null && name !== address ? `${clean(name)} (${address})` : address ?? clean(name)
  const when = path.first_run_us === null || path.last_run_us === null ? '' : path.first_run_us === path.last_run_us ? `Measured at ${utc(path.last_run_us)}` : `Measured from ${utc(path.first_run_us)} to ${utc(path.last_run_us)}, ${count(path.runs)} runs`
  const seen = new Set(path.hops.map(hop => hop.verdict))
  const meanings = (['forwarding', 'rate_limited', 'silent', 'filtered'] as const).filter(verdict => seen.has(verdict)).map(verdict => `${VERDICT_WORDS[verdict].word}: ${VERDICT_WORDS[verdict].meaning}`)
  return [
    `Path from ${clean(path.agent.name)} to ${target}, ${path.protocol.toUpperCase()}`,
    when,
    '',
    pathSentence({ ...path, hops: path.hops.map(hop => ({ ...hop, name: hop.name === null ? null : clean(hop.name) })) }),
    '',
    ...aligned([HEAD, ...path.hops.map(columns)]),
    ...(meanings.length > 0 ? ['', ...meanings] : []),
    ...(path.paths_total > 1 ? ['', `${path.paths_total} paths are in use at once (equal-cost multipath); "Share" is the part of them that a router is on.`] : []),
    '',
  ].join('\n')
}
