// The network as it is read and followed.
import type { TopologyFollower, TopologySource } from './source'
import type { Topology, TopologyDelta } from '@/map/types'
import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, nextTick, ref, shallowRef } from 'vue'
import { LiveClient } from '@/api/live'
import { network } from '@/map/testing'
import { deltaBetween } from '../../../tests/mock/topology'
import { topologySource } from './source'
import { withTargetLabels } from './useTargetLabels'
import { useTopology } from './useTopology'

afterEach(() => { vi.useRealTimers() })

/** A source that a test drives by hand. */
function scripted() {
  const asked: { at: number | null, answer: (topology: Topology) => void, fail: (error: unknown) => void, signal: AbortSignal }[] = []
  const followers = new Set<TopologyFollower>()
  const source: TopologySource = {
    read: (at, signal) => new Promise((answer, fail) => { asked.push({ at, answer, fail, signal }) }),
    series: () => Promise.reject(new Error('not asked for')),
    timeline: () => Promise.reject(new Error('not asked for')),
    follow: (follower) => {
      followers.add(follower)
      return () => followers.delete(follower)
    },
  }
  return { source, asked, followers, tell: (...deltas: TopologyDelta[]) => followers.forEach(follower => follower.deltas(deltas)) }
}

function used(source: TopologySource, at: number | null | undefined = null) {
  const moment = ref<number | null | undefined>(at)
  const sources = shallowRef(source)
  let handle: ReturnType<typeof useTopology> | undefined
  const host = mount(defineComponent({ setup() {
    handle = useTopology(sources, moment)
    return () => null
  } }))
  if (!handle)
    throw new Error('not set up')
  const { view, retry } = handle
  return { view, retry, moment, sources, host, ids: () => view.value.kind === 'ready' ? view.value.topology.nodes.map(node => node.id).sort().join(' ') : view.value.kind }
}

describe('the topology kept current', () => {
  const one = network(['a1 r1 t1'], { generation: 'm.1' })
  const two = network(['a1 r2 t1'], { generation: 'm.2' })
  const three = network(['a1 r3 t1'], { generation: 'm.3' })
  it('follows before it reads, and takes changes that came meanwhile', async () => {
    const { source, asked, followers, tell } = scripted()
    const { ids } = used(source)
    expect([followers.size, asked.length, ids()]).toEqual([1, 1, 'loading'])
    tell(deltaBetween(one, two))
    asked[0]?.answer(one)
    await flushPromises()
    expect(ids()).toBe('a1 r2 t1')
    tell(deltaBetween(two, three))
    expect(ids()).toBe('a1 r3 t1')
  })
  it('reads again when one is missing, and shows what it knows until then', async () => {
    vi.useFakeTimers()
    const { source, asked, tell } = scripted()
    const { ids } = used(source)
    asked[0]?.answer(one)
    await flushPromises()
    tell(deltaBetween(two, three))
    expect([asked.length, ids()]).toEqual([1, 'a1 r1 t1'])
    await vi.advanceTimersByTimeAsync(2000)
    expect(asked).toHaveLength(2)
    asked[1]?.answer(three)
    await flushPromises()
    expect(ids()).toBe('a1 r3 t1')
  })
  it('never asks in a circle: gaps in a row are one question in two seconds', async () => {
    vi.useFakeTimers()
    const { source, asked, tell } = scripted()
    used(source)
    asked[0]?.answer(one)
    await flushPromises()
    for (let i = 0; i < 20; i += 1)
      tell(deltaBetween(two, three))
    await vi.advanceTimersByTimeAsync(1900)
    expect(asked).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(200)
    expect(asked).toHaveLength(2)
  })
  it('reads once more when following has begun, and builds nothing anew for the same generation', async () => {
    vi.useFakeTimers()
    const { source, asked, followers } = scripted()
    const { view } = used(source)
    asked[0]?.answer(one)
    await flushPromises()
    const before = view.value.kind === 'ready' ? view.value.topology : null
    followers.forEach(follower => follower.started())
    asked[1]?.answer({ ...one })
    await flushPromises()
    expect(view.value.kind === 'ready' && view.value.topology === before).toBe(true)
    followers.forEach(follower => follower.reset())
    expect(asked).toHaveLength(3)
  })
  it('of a moment is read once and not followed; the one before stays until it has come', async () => {
    const { source, asked, followers } = scripted()
    const { ids, moment, view } = used(source, 5)
    asked[0]?.answer(one)
    await flushPromises()
    expect([followers.size, ids()]).toEqual([0, 'a1 r1 t1'])
    moment.value = 6
    await nextTick()
    expect(asked[0]?.signal.aborted).toBe(true)
    expect(view.value.kind === 'ready' && view.value.reading).toBe(true)
    asked[1]?.answer(two)
    await flushPromises()
    expect([asked[1]?.at, ids()]).toEqual([6, 'a1 r2 t1'])
  })
  it('takes no answer that comes after another question', async () => {
    const { source, asked } = scripted()
    const { ids, moment } = used(source, 5)
    moment.value = 6
    await nextTick()
    asked[1]?.answer(two)
    asked[0]?.answer(one)
    await flushPromises()
    expect(ids()).toBe('a1 r2 t1')
  })
  it('says what failed, keeps what it had, and tries again', async () => {
    const { source, asked } = scripted()
    const { view, retry, ids } = used(source)
    asked[0]?.fail(new Error('down'))
    await flushPromises()
    expect(view.value.kind).toBe('failed')
    retry()
    asked[1]?.answer(one)
    await flushPromises()
    retry()
    asked[2]?.fail(new Error('down'))
    await flushPromises()
    expect(ids()).toBe('a1 r1 t1')
    expect(view.value.kind === 'ready' && view.value.error).toBeInstanceOf(Error)
  })
  it('of another workspace begins from nothing, and lets go at the end', async () => {
    const [first, second] = [scripted(), scripted()]
    const { ids, sources, host } = used(first.source)
    first.asked[0]?.answer(one)
    await flushPromises()
    sources.value = second.source
    await nextTick()
    expect([ids(), first.followers.size, second.followers.size]).toEqual(['loading', 0, 1])
    host.unmount()
    expect(second.followers.size).toBe(0)
    expect(second.asked[0]?.signal.aborted).toBe(true)
  })
})

it('live events that speak of something else are none of the map\'s', () => {
  const sent: string[] = []
  const socket = { onopen: null as (() => void) | null, onmessage: null as ((event: { data: unknown }) => void) | null, onclose: null, send: (text: string) => sent.push(text), close: () => {} }
  const live = new LiveClient({ open: () => socket, now: () => 0, random: () => 0, later: () => () => {} })
  const deltas: TopologyDelta[] = []
  topologySource(live, 'w').follow({ started: () => {}, reset: () => {}, deltas: list => deltas.push(...list) })
  socket.onopen?.()
  expect(JSON.parse(sent[0] ?? '{}')).toMatchObject({ type: 'subscribe', workspace: 'w', topic: 'topology' })
  const delta = { type: 'topology', ...deltaBetween(network(['a1 t1']), network(['a1 r1 t1'])) }
  socket.onmessage?.({ data: JSON.stringify({ type: 'event', id: 1, cursor: '1', events: [{ type: 'agent', agent: {} }, delta] }) })
  expect(deltas).toEqual([delta])
})

it('targets get the labels of the workspace, by name or address', () => {
  const labels = new Map([['203.0.113.1', ['dns']], ['svc.example', ['web']]])
  const named = withTargetLabels(network(['a1 r1 t1', 'a1 r1 t2'], { nodes: { t2: { name: 'svc.example' } } }), labels)
  expect(named.nodes.filter(node => node.kind === 'target').map(node => node.labels)).toEqual([['dns'], ['web']])
  const plain = network(['a1 t1'])
  expect(withTargetLabels(plain, new Map())).toBe(plain)
})
