// The page and its parts, selected by role as a person would find them.
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { keys } from '@/api/keys'
import { LiveClient } from '@/api/live'
import { LIVE } from '@/app/context'
import { makeGraph } from '@/map/graph'
import { network } from '@/map/testing'
import { createToasts, TOASTS } from '@/ui/toast'
import { makeSmallTopology, makeTopologySeries, makeTopologyTimeline } from '../../../tests/mock/topology'
import { MockController } from '../../../tests/mock/server'
import HighlightBar from './HighlightBar.vue'
import MapPage from './MapPage.vue'
import MapTable from './MapTable.vue'
import PlaceTrend from './PlaceTrend.vue'
import TimeScrubber from './TimeScrubber.vue'
import { stateOf } from './useMapState'

// Without layout every row is out of view; here all of them are there.
vi.mock('@tanstack/vue-virtual', async () => {
  const { computed } = await import('vue')
  return {
    useVirtualizer: (options: { value: { count: number } }) => computed(() => ({ getTotalSize: () => 0, measure: () => {}, scrollToIndex: () => {}, getVirtualItems: () => Array.from({ length: options.value.count }, (_, index) => ({ index, size: 30, start: 30 * index })) })),
  }
})
afterEach(() => {
  document.body.innerHTML = ''
  vi.useRealTimers()
})

describe('the URL', () => {
  it('of nothing is the layered map of now', () => expect(stateOf({})).toMatchObject({ layout: 'layered', hops: undefined, fold: undefined, open: [], selected: [], atMs: null, otherMs: null, table: 'hops', criteria: { text: '', loss: 0, problems: false } }))
  it('holds layout, grouping, highlight, selection and moments', () => expect(stateOf({
    layout: 'force', agents: 'site', hops: '16', targets: 'label', fold: '0', open: ['a', 'b'], q: '10.0.0.0/8', grade: 'poor', loss: '0.05', delay: '5000', problems: '1', sel: 'r1', pair: '1', centre: 't9', at: '1764000000000', vs: '1763990000000', table: 'paths', sort: '-loss',
  })).toEqual({ layout: 'force', agents: 'site', hops: '16', targets: 'label', fold: false, open: ['a', 'b'], criteria: { text: '10.0.0.0/8', grade: 'poor', loss: 0.05, delayUs: 5000, problems: true }, selected: ['r1'], pair: true, centre: 't9', atMs: 1_764_000_000_000, otherMs: 1_763_990_000_000, table: 'paths', sort: '-loss' }))
  it('of nonsense is what nothing is', () => expect(stateOf({ layout: 'geo', hops: '8', at: 'yesterday', loss: '-1', delay: 'x', grade: 'awful', table: ['', null] })).toEqual(stateOf({})))
})

describe('the highlight bar', () => {
  const shown = (criteria = {}) => mount(HighlightBar, { props: { criteria: { text: '', grade: '' as const, loss: 0, delayUs: 0, problems: false, ...criteria }, found: '3 nodes' } })
  it('slides in steps that are said in words', async () => {
    const bar = shown({ loss: 0.05 })
    const [loss, delay] = bar.findAll('input[type=range]')
    expect(loss?.attributes('aria-valuetext')).toBe('≥ 5 %')
    expect(delay?.attributes('aria-valuetext')).toBe('any')
    await delay?.setValue('3')
    expect(bar.emitted('set')?.[0]).toEqual([{ delay: '5000' }, true])
  })
  it('offers to clear only what is asked', () => {
    expect(shown().text()).not.toContain('Clear')
    expect(shown({ problems: true }).text()).toContain('3 nodes')
  })
})

describe('the table', () => {
  const graph = makeGraph(network(['a1 r1 x1 t1 / a1 r2 x1 t1', 'a2 r2 t2'], { grades: { r2: 'critical' }, nodes: { r2: { name: '<b>evil</b>', forwarding_loss_ratio: 0.2 } } }))
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/w/:slug/probes/:probe', name: 'probe', component: { render: () => null } }, { path: '/:rest(.*)*', name: 'any', component: { render: () => null } }] })
  const shown = (part = {}) => mount(MapTable, { props: { graph, matches: null, only: null, selected: [], which: 'hops' as const, sort: '', slug: 'w', kept: {}, ...part }, global: { plugins: [router] } })
  it('has every node, worst first, hostile names as text', () => {
    const rows = shown().findAll('[role=row]').slice(1)
    expect(rows).toHaveLength(graph.nodes.length)
    expect(rows[0]?.text()).toContain('<b>evil</b>')
    expect(rows[0]?.text()).toContain('Critical')
    expect(rows[0]?.text()).toContain('20 %')
    expect(rows.at(-1)?.text()).toContain('no reply')
  })
  it('drives the selection', async () => {
    const table = shown({ selected: ['a1'] })
    await table.findAll('button.pick')[0]?.trigger('focus')
    await table.findAll('button.pick')[0]?.trigger('blur')
    expect(table.emitted('point')).toEqual([['r2'], ['']])
    await table.findAll('button.pick')[0]?.trigger('click')
    expect(table.emitted('choose')?.[0]).toEqual([['r2'], false])
    await table.findAll('button.pick')[0]?.trigger('click', { shiftKey: true })
    expect(table.emitted('choose')?.[1]).toEqual([['a1', 'r2'], false])
  })
  it('has the paths of the selection, and selects a pair', async () => {
    const table = shown({ which: 'paths', only: new Set([0, 1]) })
    expect(table.text()).toContain('2 of 3')
    await table.findAll('button.pick')[0]?.trigger('click')
    expect(table.emitted('choose')?.[0]).toEqual([['a1', 't1'], true])
    expect(table.get('a').attributes('href')).toBe('/w/w/probes/p0')
  })
})

function world(path: string, mock = new MockController().seed()) {
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
    const request = input as Request
    const url = new URL(request.url)
    const { status, body } = mock.answer({ method: request.method, query: url.searchParams, path: url.pathname.replace('/api/v1/', '').split('/'), body: {} })
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
  })
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  client.setQueryData(keys.me, mock.me())
  const component = { render: () => null }
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/w/:slug/map', name: 'map', component: MapPage, meta: { range: { from: 'now-24h', to: 'now' } } }, ...['overview', 'probe-new', 'help'].map(name => ({ path: `/w/:slug/${name}`, name, component })), { path: '/w/:slug/probes/:probe', name: 'probe', component }, { path: '/w/:slug/agents/:agent', name: 'agent', component }, { path: '/:rest(.*)*', name: 'any', component }] })
  const live = new LiveClient({ open: () => ({ onopen: null, onmessage: null, onclose: null, send: () => {}, close: () => {} }), now: () => 0, random: () => 0, later: () => () => {} })
  return { mock, router, path, global: { plugins: [[VueQueryPlugin, { queryClient: client }], router] as never, provide: { [LIVE as symbol]: live, [TOASTS as symbol]: createToasts(() => {}) } } }
}

async function page(path: string, mock?: MockController) {
  const { router, global, mock: own } = world(path, mock)
  await router.push(path)
  const view = mount(defineComponent({ render: () => h(MapPage) }), { global, attachTo: document.body })
  await flushPromises()
  await vi.waitFor(() => expect(view.find('.skeleton').exists()).toBe(false), { timeout: 20_000 })
  await flushPromises()
  return { view, router, mock: own, query: () => router.currentRoute.value.query }
}

describe('the page', () => {
  beforeEach(() => { vi.restoreAllMocks() })
  it('shows the network in words: picture, table, time line', async () => {
    const { view } = await page('/w/default/map')
    const size = makeSmallTopology(1).nodes.length
    expect(view.get('[role=application]').attributes('aria-label')).toContain(`Network map: ${size} nodes`)
    expect(view.get('[role=table]').attributes('aria-rowcount')).toBe(String(size + 1))
    expect(view.get('[role=slider][aria-label="Moment shown"]').attributes('aria-valuetext')).toContain('now')
    view.unmount()
  })
  it('is changed by single keys, and says what is selected', async () => {
    const { view, query } = await page('/w/default/map')
    const press = async (key: string) => {
      window.dispatchEvent(new KeyboardEvent('keydown', { key }))
      await flushPromises()
    }
    await press('3')
    expect(query().layout).toBe('concentric')
    await press('1')
    expect(query().layout).toBeUndefined()
    await press('n')
    const first = query().sel
    expect(view.findAll('[role=status]').at(-1)?.text()).toMatch(/poor, forwarding loss 7 %: on \d+ of \d+ paths, from/)
    await press('n')
    expect(query().sel).not.toEqual(first)
    await press('N')
    expect(query().sel).toEqual(first)
    await press('Escape')
    expect(query().sel).toBeUndefined()
    view.unmount()
  })
  it('takes a pair from the list of paths and back', async () => {
    const { view, query } = await page('/w/default/map?table=paths')
    await view.get('button.pick').trigger('click')
    await flushPromises()
    expect(query().pair).toBe('1')
    expect(query().sel).toHaveLength(2)
    expect(view.text()).toContain('Through all of them')
    window.dispatchEvent(new KeyboardEvent('keydown', { key: 'p' }))
    await flushPromises()
    expect(query().pair).toBeUndefined()
    view.unmount()
  })
  it('shows loss and delay over time of what is selected, and asks only then', async () => {
    const mock = new MockController().seed()
    const answered = vi.spyOn(mock, 'answer')
    const asked = () => answered.mock.calls.map(([request]) => request).filter(request => request.path.includes('series'))
    const { view, router } = await page('/w/default/map', mock)
    expect(asked()).toHaveLength(0)
    await router.push('/w/default/map?sel=t1')
    await flushPromises()
    await vi.waitFor(() => expect(view.find('[aria-label="Over time"] svg').exists()).toBe(true), { timeout: 20_000 })
    const trend = view.get('[aria-label="Over time"]')
    expect(trend.get('svg').attributes('aria-label')).toBe('Forwarding loss over time, at most 7 %')
    // A gap is no line, and loss is marked by its grade.
    expect(trend.get('svg path').attributes('d')?.match(/M/g)).toHaveLength(2)
    expect(trend.findAll('svg')[0]?.findAll('rect').length).toBe(3)
    expect(trend.text()).toContain('A sample: 11,520 runs of 8 of 12 probes')
    expect(asked()).toHaveLength(1)
    expect(asked()[0]?.query.get('of')).toBe('t1')
    expect(asked()[0]?.query.get('probes')?.split(',').length).toBeGreaterThan(0)
    view.unmount()
  })
  it('has states for a past that fails, and for one in which nothing passed', async () => {
    const failing = await page('/w/default/map?sel=t1', Object.assign(new MockController().seed(), { failing: /topology\/series/, failingStatus: 409 }))
    await vi.waitFor(() => expect(failing.view.find('[aria-label="Over time"] [role=alert]').exists()).toBe(true), { timeout: 20_000 })
    expect(failing.view.get('[aria-label="Over time"]').text()).toContain('Its past could not be loaded')
    failing.view.unmount()
    const series = { ...makeTopologySeries('t1', 0, 48e6), sent: [null], loss_ratio: [null], delay_us: [null], grades: [null] }
    expect(mount(PlaceTrend, { props: { series, error: null, link: false } }).text()).toBe('No run passed here in the range.')
    expect(mount(PlaceTrend, { props: { series: undefined, error: null, link: true } }).find('[role=status]').text()).toBe('Loading')
  })
  it('leaves only what is asked for in the table', async () => {
    const { view } = await page('/w/default/map?grade=poor')
    expect(view.get('[role=search]').text()).toMatch(/\d+ nodes, \d+ links, \d+ paths/)
    expect(Number(view.get('[role=table]').attributes('aria-rowcount'))).toBeLessThan(makeSmallTopology(1).nodes.length)
    view.unmount()
  })
  it('compares two moments in a list', async () => {
    const before = Date.now() - 10 * 3_600_000
    const { view } = await page(`/w/default/map?vs=${before}`)
    await vi.waitFor(() => expect(view.find('[aria-label=Differences]').exists()).toBe(true), { timeout: 20_000 })
    expect(view.get('[aria-label=Differences]').text()).toMatch(/\d+ probes? took other ways/)
    expect(view.get('[aria-label=Differences]').text()).toContain('Hops that came')
    view.unmount()
  })
  it('says what to do when there is nothing, now and at a moment', async () => {
    const empty = await page('/w/default/map', new MockController())
    expect(empty.view.text()).toContain('No paths yet')
    expect(empty.view.get('a[href="/w/default/probe-new?kind=path"]').text()).toBe('Create a path probe')
    empty.view.unmount()
    const then = await page('/w/default/map?at=1764000000000', new MockController())
    expect(then.view.text()).toContain('Nothing was measured then')
    then.view.unmount()
  })
  it('fails as a whole without its network, and in part without its time line', async () => {
    const whole = await page('/w/default/map', Object.assign(new MockController().seed(), { failing: /topology/, failingStatus: 409 }))
    expect(whole.view.get('[role=alert]').text()).toContain('The map could not be loaded')
    whole.view.unmount()
    const part = await page('/w/default/map', Object.assign(new MockController().seed(), { failing: /timeline/, failingStatus: 409 }))
    await vi.waitFor(() => expect(part.view.find('[role=alert]').exists()).toBe(true), { timeout: 20_000 })
    expect(part.view.get('[role=alert]').text()).toContain('The time line could not be loaded')
    expect(part.view.find('[role=application]').exists()).toBe(true)
    part.view.unmount()
  })
  it('says when the network is larger than the answer', async () => {
    const mock = new MockController().seed()
    mock.topology = at => ({ ...makeSmallTopology(at ?? 1), truncated: true })
    const { view } = await page('/w/default/map', mock)
    expect(view.text()).toContain('some of its paths are left out')
    view.unmount()
  })
})

describe('the time line', () => {
  const timeline = makeTopologyTimeline(1_764_000_000_000_000, 1_764_086_400_000_000, 160)
  const shown = (part = {}) => {
    const { global } = world('/w/default/map')
    return mount(TimeScrubber, { props: { timeline, atMs: null, otherMs: null, live: true, reading: false, ...part }, global })
  }
  it('is moved by keys; its end is now', async () => {
    const strip = shown({ atMs: 1_764_043_200_000 })
    const mark = strip.get('[aria-label="Moment shown"]')
    await mark.trigger('keydown', { key: 'ArrowLeft' })
    await mark.trigger('keydown', { key: 'End' })
    await mark.trigger('keydown', { key: 'PageDown' })
    const said = strip.emitted('at') ?? []
    expect(said[0]).toEqual([1_764_042_660_000, true])
    expect(said[1]).toEqual([null, true])
    expect(Number(said[2]?.[0])).toBeGreaterThan(1_764_043_200_000)
  })
  it('of a range that has ended has no now', async () => {
    const strip = shown({ atMs: 1_764_043_200_000, live: false })
    await strip.get('[aria-label="Moment shown"]').trigger('keydown', { key: 'End' })
    expect(strip.emitted('at')?.[0]).toEqual([1_764_086_400_000, true])
  })
  it('plays bucket after bucket, waits for what is on its way, and stops at the end', async () => {
    vi.useFakeTimers()
    const strip = shown({ atMs: 1_764_085_320_000 })
    await strip.get('[aria-label=Play]').trigger('click')
    await vi.advanceTimersByTimeAsync(260)
    expect(strip.emitted('at')?.[0]).toEqual([1_764_085_860_000, true])
    await strip.setProps({ reading: true, atMs: 1_764_085_860_000 })
    await vi.advanceTimersByTimeAsync(1000)
    expect(strip.emitted('at')).toHaveLength(1)
    await strip.setProps({ reading: false })
    await vi.advanceTimersByTimeAsync(260)
    expect(strip.emitted('at')?.[1]).toEqual([null, true])
    expect(strip.find('[aria-label=Play]').exists()).toBe(true)
    strip.unmount()
  })
  it('compares with the moment before the last change', async () => {
    const strip = shown()
    await strip.findAll('button').find(button => button.text() === 'Compare')?.trigger('click')
    const [other] = strip.emitted('other')?.[0] ?? []
    expect(Number(other) * 1000).toBeLessThan(timeline.changes.at(-1)?.at_us ?? 0)
    await strip.setProps({ otherMs: Number(other) })
    expect(strip.get('[aria-label="Compared with"]').attributes('role')).toBe('slider')
  })
})
