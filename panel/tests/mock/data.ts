// Invented data in the shapes of docs/openapi.yaml, for developing and testing the panel without a controller.
// Deterministic: the same probe and bucket always give the same values.
import type { components } from '../../src/api/schema'

type S = components['schemas']

export const QUANTILES = [0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1]
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400]

/** A hash of two numbers in [0, 1). */
export function noise(a: number, b: number): number {
  let h = Math.imul(a ^ 0x9E3779B9, 0x85EBCA6B) ^ Math.imul(b + 0x165667B1, 0xC2B2AE35)
  h = Math.imul(h ^ (h >>> 15), 0x27D4EB2F)
  return ((h ^ (h >>> 13)) >>> 0) / 2 ** 32
}

const setting = (part: Partial<S['KindSetting']> & Pick<S['KindSetting'], 'name' | 'label' | 'type'>): S['KindSetting'] => ({
  help: '', unit: '', required: false, secret: false, default: null, min: 0, max: 0, choices: [], advanced: false, ...part,
})

export const PING: S['Kind'] = {
  number: 1, name: 'ping', label: 'Ping', description: 'Round-trip time and loss by ICMP echo.',
  settings: [
    setting({ name: 'target', label: 'Target', type: 'target', help: 'Host name or address to ping.', required: true, max: 253 }),
    setting({ name: 'interval', label: 'Interval', type: 'duration', help: 'One result per interval.', unit: 'ms', default: 60_000, min: 1000, max: 86_400_000 }),
    setting({ name: 'packets', label: 'Packets per interval', type: 'integer', unit: 'packets', default: 20, min: 1, max: 1000 }),
    setting({ name: 'family', label: 'Address family', type: 'choice', default: 'auto', choices: [{ value: 'auto', label: 'Automatic (RFC 6724)' }, { value: 'v4', label: 'IPv4 only' }, { value: 'v6', label: 'IPv6 only' }], advanced: true }),
    setting({ name: 'dont_fragment', label: 'Don\'t fragment', type: 'boolean', default: false, min: 0, max: 1, advanced: true }),
    setting({ name: 'interface', label: 'Interface', type: 'interface', default: '', max: 15, advanced: true }),
  ],
  columns: [
    { name: 'sent', type: 'integer', unit: 'packets', rollup: 'sum', label: 'Sent', children: [] },
    { name: 'received', type: 'integer', unit: 'packets', rollup: 'sum', label: 'Received', children: [] },
    { name: 'rtt_min', type: 'integer', unit: 'us', rollup: 'min', label: 'RTT minimum', children: [] },
    { name: 'rtt', type: 'histogram', unit: 'us', rollup: 'merge', label: 'RTT', children: [] },
  ],
  metrics: [
    { name: 'loss_ratio', label: 'Loss', unit: 'ratio', formula: 'complement' },
    { name: 'rtt_p50', label: 'RTT median', unit: 'us', formula: 'quantile' },
    { name: 'rtt_p95', label: 'RTT 95th percentile', unit: 'us', formula: 'quantile' },
    { name: 'jitter', label: 'Jitter', unit: 'us', formula: 'mean' },
    { name: 'sent', label: 'Sent', unit: 'packets', formula: 'value' },
    { name: 'received', label: 'Received', unit: 'packets', formula: 'value' },
  ],
  presentation: { distribution: 'rtt', loss: 'loss_ratio', lines: [], tiles: ['rtt_p50', 'rtt_p95', 'loss_ratio', 'jitter'] },
}

export const COUNTER: S['Kind'] = {
  number: 900, name: 'counter', label: 'Counter', description: 'A second kind, to show that nothing here knows the first.',
  settings: [setting({ name: 'target', label: 'Target', type: 'target', required: true, max: 253 }), setting({ name: 'interval', label: 'Interval', type: 'duration', unit: 'ms', default: 10_000, min: 1000, max: 86_400_000 })],
  columns: [{ name: 'level', type: 'integer', unit: 'B', rollup: 'last', label: 'Level', children: [] }],
  metrics: [{ name: 'level', label: 'Level', unit: 'B', formula: 'value' }],
  presentation: { distribution: '', loss: '', lines: ['level'], tiles: ['level'] },
}
export const KINDS = [PING, COUNTER]

export const lossGrade = (ratio: number): S['Grade'] => ratio <= 0 ? 'excellent' : ratio < 0.01 ? 'good' : ratio < 0.05 ? 'fair' : ratio < 0.2 ? 'poor' : 'critical'

export function stepFor(spanS: number, width: number, intervalS: number): number {
  return STEPS_S.find(step => step >= intervalS && spanS / step <= width) ?? 86_400
}

interface BucketValue { runs: number, outcome: string, quantiles: (number | null)[], loss: number }

function bucketValue(seed: number, startS: number, stepS: number, intervalS: number): BucketValue {
  const hour = (startS / 3600) % 24
  const runs = Math.max(1, Math.round(stepS / intervalS))
  if (hour > 1.2 && hour < 1.7)
    return { runs: 0, outcome: 'ok', quantiles: QUANTILES.map(() => null), loss: 0 }
  if (hour > 4 && hour < 4.3)
    return { runs, outcome: 'not_measured', quantiles: QUANTILES.map(() => null), loss: 0 }
  const busy = Math.exp(-((hour - 21.5) ** 2) / 0.8) + 1.6 * Math.exp(-((hour - 9.3) ** 2) / 0.15)
  const down = hour > 14.1 && hour < 14.2
  const base = 21_000 + 4000 * noise(seed, 1) + (hour > 6.4 && hour < 11.7 ? 9000 : 0) + 9000 * busy
  const spread = 600 + 6000 * busy + (noise(seed, startS) > 0.97 ? 9000 : 0)
  const loss = down ? 1 : noise(seed + 7, startS) < 0.012 + 0.3 * busy ? Math.round(1 + 3 * busy * noise(seed, startS + 3)) / 20 : 0
  const quantiles = QUANTILES.map(q => down ? null : Math.round(base + spread * (q < 0.5 ? -(0.5 - q) * 0.6 : (q - 0.5) ** 1.6 * 3) + 300 * noise(seed + 3, startS)))
  return { runs, outcome: down ? 'lost' : 'ok', quantiles, loss }
}

/** What is usual: a slow wave through the day, with a hole in which the week before was not measured. */
function makeBaseline(start: readonly number[], values: readonly BucketValue[], seed: number): S['Baseline'] {
  const usual = start.map((us) => {
    const hour = (us / 3.6e9) % 24
    return hour > 17.5 && hour < 19 ? null : { mean: 22_500 + 4000 * noise(seed, 1) + 1500 * Math.sin(hour / 24 * 2 * Math.PI), sigma: 900 }
  })
  return {
    column: 'rtt', mean: usual.map(entry => entry?.mean ?? null), sigma: usual.map(entry => entry?.sigma ?? null),
    deviation: usual.map((entry, i) => {
      const median = values[i]?.quantiles[QUANTILES.indexOf(0.5)] ?? null
      return entry && median !== null ? (median - entry.mean) / entry.sigma : null
    }),
  }
}

export function makeSeries(probe: S['Probe'], fromUs: number, toUs: number, nowUs: number, by: { width: number } | { stepUs: number }): S['Series'] {
  const intervalS = Number(probe.settings.interval ?? 60_000) / 1000
  const stepS = 'stepUs' in by ? by.stepUs / 1e6 : stepFor((toUs - fromUs) / 1e6, by.width, intervalS)
  const seed = Number(probe.id.replace(/\D/g, '')) || 1
  const first = Math.floor(fromUs / 1e6 / stepS) * stepS
  const start: number[] = []
  for (let s = first; s * 1e6 < toUs && s * 1e6 < nowUs; s += stepS)
    start.push(s * 1e6)
  const values = start.map(us => us / 1e6 + stepS > nowUs / 1e6 && stepS <= intervalS ? { runs: 0, outcome: 'ok', quantiles: QUANTILES.map(() => null), loss: 0 } : bucketValue(seed, us / 1e6, stepS, intervalS))
  const measured = (value: BucketValue) => value.runs > 0 && value.outcome !== 'not_measured'
  const at = (q: number) => values.map(value => value.quantiles[QUANTILES.indexOf(q)] ?? null)
  const outcome = (name: string) => values.map(value => value.outcome === name ? value.runs : 0)
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)
  const sent = values.map(value => measured(value) ? value.runs * 20 : null)
  const received = values.map(value => measured(value) ? Math.round(value.runs * 20 * (1 - value.loss)) : null)
  const grade = values.map(value => measured(value) ? lossGrade(value.loss) : 'unknown' as const)
  const medians = at(0.5).filter((value): value is number => value !== null).sort((a, b) => a - b)
  const [allSent, allReceived] = [sum(sent.map(n => n ?? 0)), sum(received.map(n => n ?? 0))]
  const metrics = {
    loss_ratio: values.map(value => measured(value) ? value.loss : null), rtt_p50: at(0.5), rtt_p95: at(0.95),
    jitter: values.map((value, i) => value.quantiles[0] === null || !measured(value) ? null : Math.round(200 + 500 * noise(seed, i))), sent, received,
    level: values.map((value, i) => measured(value) ? Math.round(1e6 + 4e5 * Math.sin(i / 30)) : null),
  }
  const kind = KINDS.find(entry => entry.name === probe.kind) ?? PING
  const own = Object.fromEntries(kind.metrics.map(metric => [metric.name, metrics[metric.name as keyof typeof metrics] ?? []]))
  const lossRatio = allSent === 0 ? null : 1 - allReceived / allSent
  return {
    probe: probe.id, kind: probe.kind, from_us: start[0] ?? fromUs, to_us: toUs, now_us: nowUs, step_us: stepS * 1e6, resolution: stepS >= 3600 ? '1h' : stepS >= 300 ? '5min' : 'raw', count: start.length, start_us: start,
    runs: values.map(value => value.runs), outcomes: { ok: outcome('ok'), lost: outcome('lost'), not_measured: outcome('not_measured') }, metrics: own,
    quantiles: kind.presentation.distribution === '' ? {} : { rtt: { q: QUANTILES, values: QUANTILES.map(at) } },
    ...(kind.presentation.distribution === '' ? {} : { baseline: makeBaseline(start, values, seed) }),
    grade, grade_reason: values.map(value => value.loss > 0 ? `loss ${Math.round(value.loss * 20)} of 20` : ''), loss_grade: grade, lost_declared: start.map(() => 0),
    summary: {
      runs: sum(values.map(value => value.runs)), outcomes: { ok: sum(outcome('ok')), lost: sum(outcome('lost')), not_measured: sum(outcome('not_measured')) },
      metrics: { loss_ratio: lossRatio, rtt_p50: medians[medians.length >> 1] ?? null, rtt_p95: medians[Math.floor(medians.length * 0.95)] ?? null, jitter: 412, sent: allSent, received: allReceived, level: 1_200_000 },
      grade: lossGrade(lossRatio ?? 0), grade_reason: lossRatio ? `loss ${allSent - allReceived} of ${allSent}` : '', coverage_ratio: values.filter(value => value.runs > 0).length / Math.max(1, values.length),
    },
  }
}

export function makeAgent(id: string, name: string, part: Partial<S['Agent']> = {}, nowUs = Date.now() * 1000): S['Agent'] {
  return {
    id, name, site: 'Vancouver', labels: ['edge'], status: 'online', enabled: true, hostname: `${name}.example`, os: 'Linux 6.1', arch: 'x86_64', version: '0.1.0', last_seen_us: nowUs - 2_000_000, address: '192.0.2.10', gateway: '192.0.2.1', resolver: '192.0.2.53', builtin: false, twin: null,
    clock_offset_us: 412, clock_uncertainty_us: 180, probe_count: 0, state_number: 4, applied_state_number: 4, problems: [], created_us: nowUs - 864e8,
    health: { at_us: nowUs - 2_000_000, lateness_p99_us: 212, socket_drops: 0, cpu_permille: 13, steal_permille: 0, spool_rows: 0, spool_bytes: 0, rss_bytes: 14_200_000, probes: 3, packets_per_second: 12, spool_refused: false }, ...part,
  }
}

export function makeProbe(id: string, agent: S['Agent'], target: string, part: Partial<S['Probe']> = {}, nowUs = Date.now() * 1000): S['Probe'] {
  const loss = part.latest?.metrics.loss_ratio ?? 0
  return {
    id, name: `${agent.name} → ${target}`, kind: 'ping', agent: { id: agent.id, name: agent.name, status: agent.status }, target: { id: `t-${target}`, address: target, name: '' }, enabled: true,
    settings: { target, interval: 60_000, packets: 20, family: 'auto', dont_fragment: false, interface: '' }, revision: 1, created_us: nowUs - 864e8, updated_us: nowUs - 36e8, problem: '',
    latest: { at_us: nowUs - 20_000_000, outcome: 'ok', reason: '', grade: lossGrade(loss ?? 0), grade_reason: '', metrics: { rtt_p50: 23_400, rtt_p95: 31_200, loss_ratio: loss, jitter: 412, sent: 20, received: 20 } }, ...part,
  }
}

export function makeHistogram(from: number, to: number): S['Histogram'] {
  const lower = Array.from({ length: 40 }, (_, i) => 20_000 + i * 500)
  return { column: 'rtt', unit: 'us', from_us: from, to_us: to, count: 4000, min: 20_100, max: 39_900, lower, upper: lower.map(value => value + 500), counts: lower.map((_, i) => Math.round(500 * Math.exp(-((i - 8) ** 2) / 20) + 12 * noise(i, 3))) }
}

export function makeSamples(probe: S['Probe'], from: number, to: number, now: number, values: boolean): S['Samples'] {
  const step = Number(probe.settings.interval ?? 60_000) * 1000
  const at: number[] = []
  for (let us = Math.ceil(from / step) * step; us < Math.min(to, now) && at.length < 500; us += step)
    at.push(us)
  const packets = at.map((_, i) => Array.from({ length: i % 9 === 0 ? 19 : 20 }, (_, k) => 21_000 + k * 120 + 900 * noise(i, k)).sort((a, b) => a - b))
  return {
    probe: probe.id, kind: probe.kind, count: at.length, next_cursor: null, ...(values ? { values: { rtt: packets } } : {}),
    rows: { at_us: at, outcome: at.map(() => 'ok'), reason: at.map(() => ''), address: at.map(() => '198.51.100.7'), clock: at.map(() => 'kernel'), columns: { sent: at.map(() => 20), received: packets.map(run => run.length), rtt_min: packets.map(run => Math.round(run[0] ?? 0)) } },
  }
}
