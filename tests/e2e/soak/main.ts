// Twenty live charts in time that moves as quickly as the machine can draw: events come over the live client, the changed
// part is read again and put in, every chart is drawn. What grows here grows on a wall that nobody reloads.
import type { Series } from '@/api/types'
import type { Socket } from '@/api/live'
import { computed, createApp, defineComponent, h, shallowRef } from 'vue'
import { LiveClient } from '@/api/live'
import { toColumns } from '@/charts/columns'
import SmokeChart from '@/charts/SmokeChart.vue'
import { useSeries } from '@/features/probes/useSeries'
import { makeAgent, makeProbe, PING, QUANTILES } from '../../../panel/tests/mock/data'
import '@/style/base.css'
import { PageClock } from './clock'

const CHARTS = 20
const WINDOW_S = 60
const clock = new PageClock()
clock.install()

// The socket of the page, played by the test.
let socket: Socket | undefined
const subscriptions: { id: number, probe: string }[] = []
const live = new LiveClient({
  open: () => {
    socket = { onopen: null, onmessage: null, onclose: null, close: () => {}, send: (text: string) => {
      const message = JSON.parse(text) as { type: string, id: number, probe: string }
      if (message.type === 'subscribe')
        subscriptions.push(message)
    } } as Socket
    return socket
  },
  now: () => clock.ms(),
  random: () => 0.5,
  later: (run, ms) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
})

const range = shallowRef({ fromMs: clock.ms() - WINDOW_S * 1000, toMs: clock.ms() })
const agent = makeAgent('a1', 'x', {}, 0)
const probes = Array.from({ length: CHARTS }, (_, i) => makeProbe(`p${i}`, agent, `t${i}`, {}, 0))
let reads = 0

function series(seed: number, fromUs: number, toUs: number): Series {
  reads += 1
  const start: number[] = []
  for (let us = Math.floor(fromUs / 1e6) * 1e6; us < toUs && us <= clock.ms() * 1000; us += 1e6)
    start.push(us)
  const wave = start.map(us => 20_000 + 3000 * Math.sin(us / 1e6 / 17 + seed) + (us / 1e6 % 41 < 1 ? 9000 : 0))
  const all = <T>(value: T) => start.map(() => value)
  return {
    probe: `p${seed}`, kind: 'ping', from_us: start[0] ?? fromUs, to_us: toUs, now_us: clock.ms() * 1000, step_us: 1e6, resolution: 'raw', count: start.length, start_us: start, runs: all(1),
    outcomes: { ok: all(1) }, metrics: { loss_ratio: start.map(us => us / 1e6 % 37 < 1 ? 0.1 : 0), sent: all(20), received: all(20) }, quantiles: { rtt: { q: QUANTILES, values: QUANTILES.map(q => wave.map(value => value * (0.9 + q * 0.3))) } },
    grade: all('excellent'), grade_reason: all(''), loss_grade: start.map(us => us / 1e6 % 37 < 1 ? 'poor' : 'excellent'), lost_declared: all(0),
    baseline: { column: 'rtt', mean: all(20_000), sigma: all(900), deviation: all(0.4) },
    summary: { runs: start.length, outcomes: { ok: start.length }, metrics: {}, grade: 'excellent', grade_reason: '', coverage_ratio: 1 },
  }
}

const Chart = defineComponent({
  props: { index: { type: Number, required: true } },
  setup({ index }) {
    const source = { live, read: async (fromUs: number, toUs: number) => series(index, fromUs, toUs) }
    const { view } = useSeries(source, { workspace: 'w', probe: `p${index}`, width: 100, live: true, range: 'x' }, range, false)
    const columns = computed(() => view.value.kind === 'ready' ? toColumns(view.value.series, PING) : null)
    return () => columns.value && h(SmokeChart, { columns: columns.value, from: range.value.fromMs / 1000, to: range.value.toMs / 1000, zone: 'UTC', label: `p${index}`, height: 90 })
  },
})
createApp({ render: () => h('div', { style: 'display:grid;grid-template-columns:repeat(5,220px)' }, probes.map((_, index) => h(Chart, { key: index, index }))) }).mount('#app')

let draws = 0
new PerformanceObserver((list) => { draws += list.getEntriesByName('nw-chart-draw').length }).observe({ entryTypes: ['measure'] })
let cursor = 0
async function tick(): Promise<void> {
  await clock.advance(1000)
  range.value = { fromMs: clock.ms() - WINDOW_S * 1000, toMs: clock.ms() }
  cursor += 1
  const rows = { at_us: [clock.ms() * 1000 - 1000], outcome: ['ok'], reason: [''], address: ['192.0.2.1'], clock: ['kernel'], columns: { sent: [20], received: [20] } }
  for (const { id, probe } of subscriptions)
    socket?.onmessage?.({ data: JSON.stringify({ type: 'event', id, cursor: String(cursor), events: [{ type: 'samples', probe, kind: 'ping', rows }] }) })
}

Object.assign(globalThis, {
  soak: {
    begin: async () => {
      socket?.onopen?.()
      await clock.advance(1000)
      for (const { id } of subscriptions)
        socket?.onmessage?.({ data: JSON.stringify({ type: 'subscribed', id, cursor: '0' }) })
      return subscriptions.length
    },
    run: async (ticks: number) => {
      for (let i = 0; i < ticks; i += 1)
        await tick()
    },
    state: () => ({ reads, draws, timers: clock.pending, nodes: document.querySelectorAll('*').length, subscriptions: subscriptions.length }),
  },
})
