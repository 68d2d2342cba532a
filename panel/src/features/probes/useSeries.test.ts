import type { LiveEnvironment, Socket } from '@/api/live'
import type { Series } from '@/api/types'
import type { SeriesRequest } from './useSeries'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref } from 'vue'
import { LiveClient } from '@/api/live'
import { makeAgent, makeProbe, makeSeries } from '../../../tests/mock/data'
import { useSeries, wholeEveryMs } from './useSeries'

const NOW = 1_769_212_800_000
const MIN = 60_000
const probe = makeProbe('p1', makeAgent('a1', 'x'), 't')

function scene(part: Partial<SeriesRequest> = {}) {
  const socket: Socket & { say: (message: object) => void } = {
    onopen: null, onmessage: null, onclose: null, send: () => {}, close: () => {},
    say: message => socket.onmessage?.({ data: JSON.stringify(message) }),
  }
  const env: LiveEnvironment = { open: () => socket, now: () => 0, random: () => 0, later: () => () => {} }
  const reads: { fromUs: number, toUs: number, by: object }[] = []
  let fail = false
  const source = {
    live: new LiveClient(env),
    read: async (fromUs: number, toUs: number, by: { width: number } | { stepUs: number }): Promise<Series> => {
      reads.push({ fromUs, toUs, by })
      await Promise.resolve()
      if (fail)
        throw new Error('gone')
      return makeSeries(probe, fromUs, toUs, NOW * 1000, by)
    },
  }
  const request = ref<SeriesRequest>({ workspace: 'w', probe: 'p1', width: 200, live: true, range: 'now-1h|now', ...part })
  const resolved = ref({ fromMs: NOW - 60 * MIN, toMs: NOW })
  const held = ref(false)
  const scope = effectScope()
  const handle = scope.run(() => useSeries(source, request, resolved, held))
  if (!handle)
    throw new Error('no scope')
  const result = (atMs: number) => socket.say({ type: 'event', id: 1, cursor: 'c', events: [{ type: 'samples', probe: 'p1', kind: 'ping', rows: { at_us: [atMs * 1000], outcome: ['ok'], reason: [''], address: [''], clock: ['kernel'], columns: {} } }] })
  return { handle, reads, request, resolved, held, scope, socket, result, setFail: (now: boolean) => { fail = now } }
}

beforeEach(() => { vi.useFakeTimers({ now: NOW }) })
afterEach(() => { vi.useRealTimers() })
const settle = (ms = 300) => vi.advanceTimersByTimeAsync(ms)

describe('the series of an open chart', () => {
  it('is loading, then there', async () => {
    const { handle, reads } = scene()
    expect(handle.view.value.kind).toBe('loading')
    await settle()
    expect(handle.view.value.kind).toBe('ready')
    expect(reads).toHaveLength(1)
    expect(reads[0]?.by).toEqual({ width: 200 })
  })
  it('says what failed and tries again when asked', async () => {
    const { handle, setFail } = scene()
    setFail(true)
    await settle()
    expect(handle.view.value.kind).toBe('failed')
    setFail(false)
    handle.retry()
    await settle()
    expect(handle.view.value.kind).toBe('ready')
  })
  it('reads only the changed part again, with the same step', async () => {
    const { reads, result } = scene()
    await settle()
    result(NOW - 2 * MIN)
    await settle()
    expect(reads[1]).toMatchObject({ fromUs: (NOW - 2 * MIN) * 1000, by: { stepUs: 60e6 } })
    expect(reads[1]?.toUs).toBeGreaterThanOrEqual(NOW * 1000)
  })
  it('goes back as far as the oldest row of an agent that catches up', async () => {
    const { reads, result } = scene()
    await settle()
    result(NOW - MIN)
    result(NOW - 40 * MIN)
    result(NOW - 20 * MIN)
    await settle()
    expect(reads).toHaveLength(2)
    expect(reads[1]?.fromUs).toBe((NOW - 40 * MIN) * 1000)
  })
  it('never reads before its window', async () => {
    const { reads, result } = scene()
    await settle()
    result(NOW - 500 * MIN)
    await settle()
    expect(reads[1]?.fromUs).toBeGreaterThanOrEqual((NOW - 61 * MIN) * 1000)
  })
  it('reads at most four times a second however many results come', async () => {
    const { reads, result } = scene()
    await settle()
    for (let i = 0; i < 200; i += 1) {
      result(NOW - MIN)
      await vi.advanceTimersByTimeAsync(5)
    }
    expect(reads.length - 1).toBeLessThanOrEqual(5)
  })
  it('stands still while it is held, counts what is new, and makes up for it', async () => {
    const { handle, reads, held, result } = scene()
    await settle()
    held.value = true
    result(NOW - MIN)
    result(NOW)
    await settle(2000)
    expect(reads).toHaveLength(1)
    expect(handle.waiting.value).toBe(2)
    held.value = false
    await settle()
    expect(reads).toHaveLength(2)
    expect(handle.waiting.value).toBe(0)
  })
  it('reads the whole again when the server says that something was missed', async () => {
    const { reads, socket } = scene()
    await settle()
    socket.say({ type: 'reset', id: 1, cursor: 'c' })
    await settle()
    expect(reads[1]?.fromUs).toBe((NOW - 60 * MIN) * 1000)
  })
  it('reads a result that is younger than the end of its range', async () => {
    const { reads, result } = scene()
    await settle()
    result(NOW + 900)
    await settle()
    expect(reads[1]?.fromUs).toBe(NOW * 1000)
    expect(reads[1]?.toUs).toBeGreaterThan((NOW + 900) * 1000)
  })
  it('keeps the old picture, marked as old, when the tail cannot be read', async () => {
    const { handle, result, setFail } = scene()
    await settle()
    setFail(true)
    result(NOW)
    await settle()
    expect(handle.view.value).toMatchObject({ kind: 'ready', stale: true })
    setFail(false)
    result(NOW)
    await settle()
    expect(handle.view.value).toMatchObject({ kind: 'ready', stale: false })
  })
  it('reads the whole again the sooner the shorter the range', async () => {
    expect([15 * MIN, 60 * MIN, 24 * 60 * MIN].map(span => wholeEveryMs({ fromMs: NOW - span, toMs: NOW }))).toEqual([3000, 5000, 30_000])
    const { reads, result } = scene()
    await settle(6000)
    result(NOW)
    await settle()
    expect(reads[1]?.by).toEqual({ width: 200 })
  })
  it('takes no live results for a range that has ended', async () => {
    const { reads, result } = scene({ live: false, range: 'a|b' })
    await settle()
    result(NOW)
    await settle()
    expect(reads).toHaveLength(1)
  })
  it('keeps the picture while another range is read, but not for another probe', async () => {
    const { handle, request } = scene()
    await settle()
    request.value = { ...request.value, range: 'now-6h|now' }
    await nextTick()
    expect(handle.view.value.kind).toBe('ready')
    request.value = { ...request.value, probe: 'p2' }
    await nextTick()
    expect(handle.view.value.kind).toBe('loading')
    await settle()
    expect(handle.view.value.kind).toBe('ready')
  })
  it('does nothing more once its page is gone', async () => {
    const { reads, result, scope } = scene()
    await settle()
    result(NOW)
    scope.stop()
    await settle(1000)
    expect(reads).toHaveLength(1)
  })
})
