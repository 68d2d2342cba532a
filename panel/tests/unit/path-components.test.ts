// The path view in every state, found by role as a person would.
import type { Path } from '@/features/path/types'
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { keys } from '@/api/keys'
import { LiveClient } from '@/api/live'
import { ApiError } from '@/api/problem'
import { LIVE } from '@/app/context'
import HopTable from '@/features/path/HopTable.vue'
import PathDiagram from '@/features/path/PathDiagram.vue'
import PathSection from '@/features/path/PathSection.vue'
import PathView from '@/features/path/PathView.vue'
import RoutesCard from '@/features/path/RoutesCard.vue'
import { createToasts, TOASTS } from '@/ui/toast'
import { makeAgent, makeProbe } from '../mock/data'
import { makeChanges, makePath, makeUnreached, PATH } from '../mock/paths'
import { MockController } from '../mock/server'

const NOW = Date.now() * 1000
const agent = makeAgent('a1', 'vancouver-1', {}, NOW)
const probe = makeProbe('p901', agent, 'svc-3a.example', { kind: 'path' }, NOW)
const path = makePath(probe, NOW, 600, 0)

function world(query = '') {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  client.setQueryData(keys.me, { user: { id: 'u', email: '', name: '' }, csrf_token: '', is_site_admin: false, preferences: { zone: 'UTC' }, memberships: [] })
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:rest(.*)*', name: 'any', component: { render: () => null } }] })
  void router.push(`/p${query}`)
  const sockets: { onopen: (() => void) | null, onmessage: ((event: { data: unknown }) => void) | null, onclose: null, sent: string[], send: (text: string) => void, close: () => void }[] = []
  const live = new LiveClient({ open: () => { const socket = { onopen: null, onmessage: null, onclose: null, sent: [] as string[], send: (text: string) => { socket.sent.push(text) }, close: () => {} }; sockets.push(socket); return socket }, now: () => 0, random: () => 0, later: () => () => {} })
  const toasts = createToasts(() => {})
  return { client, router, toasts, sockets, global: { plugins: [[VueQueryPlugin, { queryClient: client }], router] as never, provide: { [LIVE as symbol]: live, [TOASTS as symbol]: toasts } } }
}
const asked: URL[] = []
function answered(mock: MockController) {
  asked.length = 0
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
    const url = new URL((input as Request).url)
    asked.push(url)
    const { status, body } = mock.answer({ method: (input as Request).method, query: url.searchParams, path: url.pathname.replace('/api/v1/', '').split('/'), body: {} })
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' } })
  })
}
let mock: MockController
enableAutoUnmount(afterEach)
beforeEach(() => answered(mock = new MockController().seed().withPath()))
async function section(query = '', part: Partial<{ probe: typeof probe }> = {}) {
  const w = world(query)
  await w.router.isReady()
  const view = mount(PathSection, { props: { workspace: 'default', probe, kind: PATH, changes: makeChanges(NOW), ...part }, global: w.global, attachTo: document.body })
  await flushPromises()
  return { ...w, view, button: (text: string) => view.findAll('button').find(found => found.text() === text) }
}
const pathQueries = () => asked.filter(url => url.pathname.endsWith('/path'))

describe('the hop table', () => {
  const table = () => mount(HopTable, { props: { hops: path.hops }, attachTo: document.body })
  const row = (view: ReturnType<typeof table>, address: string) => view.findAll('tbody tr').find(found => found.text().includes(address))
  it('never shows a router that limits its replies as a fault', () => {
    const loss = row(table(), '198.51.100.21')?.get('[data-loss]')
    expect(loss?.text()).toMatch(/^0 %\s*answers 76 of 200/)
    expect(loss?.find('svg').exists()).toBe(false)
  })
  it('shows loss with its counts, its grade and why', () => {
    const loss = row(table(), '198.51.100.61')?.get('[data-loss]')
    expect(loss?.text()).toContain('6 % · 12 of 200')
    expect(loss?.get('svg[role=img]').attributes('aria-label')).toBe('Poor')
  })
  it('opens a hop, and goes from one to the next by arrows', async () => {
    const view = table()
    const buttons = view.findAll('[data-hop]')
    await buttons[1]?.trigger('click')
    expect(view.emitted('open')?.[0]).toEqual([path.hops[1]])
    ;(buttons[1]?.element as HTMLElement).focus()
    await buttons[1]?.trigger('keydown', { key: 'ArrowDown' })
    expect(document.activeElement).toBe(buttons[2]?.element)
  })
  it('hostile names are text', () => {
    const view = mount(HopTable, { props: { hops: [{ ...path.hops[0], name: '<img src=x onerror=alert(1)>' } as Path['hops'][number]] } })
    expect(view.find('img').exists()).toBe(false)
    expect(view.text()).toContain('<img src=x')
  })
})

describe('diagram and table', () => {
  it('belong together: what is pointed at in one stands out in the other', async () => {
    const view = mount(PathView, { props: { path }, global: world().global })
    await view.get('[data-node="4:203.0.113.33"]').trigger('mouseenter')
    expect(view.findAll('tbody tr').find(found => found.text().includes('203.0.113.33'))?.classes()).toContain('on')
    expect(view.findAll('tbody tr').find(found => found.text().includes('203.0.113.37'))?.classes()).toContain('dim')
    await view.findAll('tbody tr')[4]?.trigger('mouseenter')
    expect(view.get('[data-node="4:203.0.113.33"]').attributes('opacity')).toBe('0.34')
    await view.findAll('tbody tr')[4]?.trigger('mouseleave')
    expect(view.get('[data-node="4:203.0.113.33"]').attributes('opacity')).toBe('1')
  })
  it('opens the details, which live on when the path is read again', async () => {
    const view = mount(PathView, { props: { path }, global: world().global, attachTo: document.body })
    await view.get('[data-node="7:198.51.100.45"]').trigger('click')
    await flushPromises()
    const dialog = document.querySelector('[role=dialog]')
    expect(dialog?.textContent).toContain('label 24005, class 0, TTL 1')
    expect(dialog?.textContent).toContain('et-0/0/3')
    await view.setProps({ path: makePath(probe, NOW + 60e6, 600, 0) })
    expect(document.querySelector('[role=dialog]')?.textContent).toContain('label 24005')
  })
  it('the diagram says in a sentence what it shows', () => {
    const text = mount(PathDiagram, { props: { path, reached: true } }).get('svg[role=img]').attributes('aria-label')
    expect(text).toMatch(/12 hops, 3 paths\. Hop 8, peer\.cloud-d\.example loses packets/)
  })
  it('branches are as wide as their share, what does not answer is dashed', () => {
    const view = mount(PathDiagram, { props: { path, reached: true } })
    const width = (key: string) => Number(view.get(`[data-link="${key}"]`).attributes('stroke-width'))
    expect(width('agent>1:192.0.2.1')).toBeGreaterThan(width('3:203.0.113.9>4:203.0.113.33'))
    expect(view.get('[data-link="8:198.51.100.61>9:*"]').attributes('stroke-dasharray')).toBeTruthy()
    expect(view.get('[data-node="9:*"]').text()).toContain('no reply')
  })
})

describe('the path of a probe', () => {
  it('loading', async () => {
    vi.spyOn(globalThis, 'fetch').mockImplementation(() => new Promise(() => {}))
    expect((await section()).view.get('[role=status]').text()).toContain('Loading')
  })
  it('failed, with a way to try again', async () => {
    mock.failing = /\/path$/
    mock.failingStatus = 409
    const { view } = await section()
    expect(view.get('[role=alert]').text()).toContain('The path could not be loaded')
  })
  it('no run yet', async () => {
    mock.shownPath = { ...path, runs: 0, first_run_us: null, last_run_us: null, hops: [], links: [], paths: [], reached: null }
    expect((await section()).view.text()).toContain('No path yet')
    expect((await section('?at=1769212800000')).view.text()).toContain('No run at that time')
  })
  it('not reached, filtered, a black hole', async () => {
    mock.shownPath = makeUnreached(probe, NOW)
    const { view } = await section()
    expect(view.text()).toContain('The target was not reached.')
    expect(view.text()).toContain('From hop 8 on nothing answers')
    expect(view.text()).toContain('black hole behind hop 5')
  })
  it('stale: grey, with its age, never as current', async () => {
    mock.shownPath = { ...path, last_run_us: NOW - 9 * 60e6 }
    const { view } = await section('', { probe: { ...probe, agent: { ...probe.agent, status: 'offline' } } })
    expect(view.text()).toContain('The agent is silent: this is what it saw 9 min ago')
    expect(view.find('.opacity-60').exists()).toBe(true)
  })
  it('says when it is of an earlier run', async () => {
    mock.shownPath = { ...path, last_run_us: path.from_us - 60e6 }
    expect((await section()).view.text()).toContain('No run lies in this time')
  })
  it('asks for the moment and the focus of the URL', async () => {
    const { view } = await section('?at=1769212800123&focus=3600')
    expect(Object.fromEntries(pathQueries()[0]?.searchParams ?? [])).toEqual({ at: '1769212800123999', window: '3600' })
    expect(view.text()).toContain('Path at 2026-01-24 00:00 UTC')
  })
  it('goes to the change before and after by brackets, and back to now', async () => {
    const { router, button, view } = await section()
    window.dispatchEvent(new KeyboardEvent('keydown', { key: '[' }))
    await flushPromises()
    const first = Number(router.currentRoute.value.query.at)
    expect(first).toBe(Math.floor((NOW - 9 * 36e8) / 1000) + 599_999)
    window.dispatchEvent(new KeyboardEvent('keydown', { key: '[' }))
    await flushPromises()
    expect(Number(router.currentRoute.value.query.at)).toBeLessThan(first)
    window.dispatchEvent(new KeyboardEvent('keydown', { key: ']' }))
    await flushPromises()
    expect(Number(router.currentRoute.value.query.at)).toBe(first)
    await button('Back to now')?.trigger('click')
    await flushPromises()
    expect(router.currentRoute.value.query.at).toBeUndefined()
    view.unmount()
    window.dispatchEvent(new KeyboardEvent('keydown', { key: '[' }))
    await flushPromises()
    expect(router.currentRoute.value.query.at).toBeUndefined()
  })
  it('compares with the moment before the last change', async () => {
    const { router, button, view } = await section()
    await button('Compare')?.trigger('click')
    await flushPromises()
    expect(router.currentRoute.value.query.before).toBe(String(Math.floor((NOW - 9 * 36e8) / 1000) - 1))
    await flushPromises()
    expect(view.text()).toContain('The route is another: 4 hops added, 2 hops removed, 4 hops changed.')
    const removed = view.findAll('tr.removed').map(row => row.text())
    expect(removed[0]).toMatch(/old-1\.transit-b\.example.*−removed/s)
  })
  it('refuses a time that is none', async () => {
    const { view } = await section('?before=1769212800000')
    const input = view.findAll('input')[0]
    await input?.setValue('yesterday')
    expect(view.get('[role=alert]').text()).toContain('Write a time')
  })
  it('reads again when a run has come, and only while it shows now', async () => {
    vi.useFakeTimers()
    try {
      const { sockets } = await section()
      await vi.advanceTimersByTimeAsync(10)
      sockets[0]?.onopen?.()
      const id = (JSON.parse(sockets[0]?.sent[0] ?? '{}') as { id: number }).id
      sockets[0]?.onmessage?.({ data: JSON.stringify({ type: 'subscribed', id, cursor: '1' }) })
      await vi.advanceTimersByTimeAsync(2500)
      const before = pathQueries().length
      for (let n = 2; n < 9; n += 1)
        sockets[0]?.onmessage?.({ data: JSON.stringify({ type: 'event', id, cursor: String(n), events: [{ type: 'samples', rows: { at_us: [1] } }] }) })
      await vi.advanceTimersByTimeAsync(2500)
      expect(pathQueries().length).toBe(before + 1)
      expect((await section('?at=1769212800000')).sockets).toHaveLength(0)
    }
    finally {
      vi.useRealTimers()
    }
  })
  it('copies the evidence', async () => {
    const writeText = vi.fn<(text: string) => Promise<void>>(async () => {})
    vi.stubGlobal('navigator', { ...navigator, clipboard: { writeText } })
    const { button, toasts } = await section()
    await button('Copy evidence')?.trigger('click')
    await flushPromises()
    expect(writeText.mock.calls[0]?.[0]).toMatch(/^Path from vancouver-1 to svc-3a\.example/)
    expect(toasts.items.value[0]?.text).toContain('copied as text')
    vi.unstubAllGlobals()
  })
})

describe('routes', () => {
  const shown = (part: object) => mount(RoutesCard, { props: { changes: makeChanges(NOW), error: null, ...part }, global: world().global, attachTo: document.body })
  it('loading, failed, nothing', () => {
    expect(shown({ changes: undefined }).get('[role=status]').text()).toBe('Loading')
    expect(shown({ changes: undefined, error: new ApiError({ type: 'about:blank', title: 'Broken', status: 500, request_id: 'r' }) }).get('[role=alert]').text()).toContain('Broken')
    expect(shown({ changes: { ...makeChanges(NOW), runs: 0, routes: [], changes: [] } }).text()).toContain('No run in this range')
  })
  it('with their share of time, what differs, and the changes newest first', async () => {
    const view = shown({})
    expect(view.text()).toContain('the commonest 83 % of the time · 3 changes · 3 a day')
    expect(view.text()).toContain('differs at hops 5 to 6')
    await view.findAll('button').find(button => button.text().startsWith('Route 2'))?.trigger('click')
    expect(view.get('ol').text()).toContain('198.51.100.129 differs')
    expect(view.get('[aria-label="List of route changes"]').findAll('li')[0]?.text()).toMatch(/route 2 → route 1.*−.*old-1/s)
  })
  it('that did not change say that balancing is no change', () => expect(shown({ changes: { ...makeChanges(NOW), changes: [] } }).text()).toContain('Load balancing and silent routers are no changes'))
})
