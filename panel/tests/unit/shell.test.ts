/* eslint-disable vue/one-component-per-file -- small hosts for composables */
// The shell's own parts: who may grant, messages that wait, preferences that are taken back, the age of data, a calendar.
import type { Me } from '@/api/types'
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount } from '@vue/test-utils'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { keys } from '@/api/keys'
import { LiveClient } from '@/api/live'
import { LIVE } from '@/app/context'
import DeniedPage from '@/app/DeniedPage.vue'
import { useSetPreference } from '@/app/preferences'
import { rowHeightFor } from '@/app/theme'
import { useConnection } from '@/app/useConnection'
import { chosenAgent, stepOf } from '@/features/onboarding/useOnboarding'
import Calendar from '@/ui/Calendar.vue'
import DataAge from '@/ui/DataAge.vue'
import { createToasts, TOASTS } from '@/ui/toast'
import { makeAgent, makeProbe } from '../mock/data'
import { MockController } from '../mock/server'

const mock = new MockController().seed()
let status = 0
function world(role: MockController['role'] = 'viewer') {
  mock.role = role
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  client.setQueryData(keys.me, mock.me())
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/w/:slug', name: 'overview', component: { render: () => null } }, { path: '/', name: 'home', component: { render: () => null } }] })
  const sockets: { onopen: (() => void) | null, onclose: ((event: { code: number }) => void) | null }[] = []
  const timers: (() => void)[] = []
  const live = new LiveClient({
    open: () => {
      const socket = { onopen: null, onmessage: null, onclose: null, send: () => {}, close: () => {} }
      sockets.push(socket)
      return socket
    },
    now: () => Date.now(), random: () => 0,
    later: (run: () => void) => {
      timers.push(run)
      return () => {}
    },
  })
  const toasts = createToasts(() => {})
  return { client, router, live, sockets, timers, toasts, global: { plugins: [[VueQueryPlugin, { queryClient: client }], router] as never, provide: { [LIVE as symbol]: live, [TOASTS as symbol]: toasts } } }
}
beforeEach(() => {
  status = 0
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
    const request = input as Request
    const url = new URL(request.url)
    const text = await request.clone().text()
    const answer = mock.answer({ method: request.method, query: url.searchParams, path: url.pathname.replace('/api/v1/', '').split('/'), body: text === '' ? {} : JSON.parse(text) as Record<string, unknown> })
    const body = status === 0 ? answer.body : { type: 'about:blank', title: 'Broken', status, request_id: 'req-9' }
    return new Response(body === undefined ? null : JSON.stringify(body), { status: status || answer.status, headers: { 'content-type': 'application/json' } })
  })
})

describe('what one may not see', () => {
  const shown = async (props: object, path: string, role?: MockController['role']) => {
    const { router, global } = world(role)
    await router.push(path)
    const page = mount(DeniedPage, { props, global })
    await flushPromises()
    await vi.waitFor(() => expect(page.text()).not.toBe(''), { timeout: 20_000 })
    return page
  }
  it('names the permission, the role and who can change it', async () => {
    const page = await shown({ permission: 'audit.read' }, '/w/default')
    await vi.waitFor(() => expect(page.text()).toContain('audit.read'), { timeout: 20_000 })
    expect(page.text()).toContain('your role viewer')
  })
  it('a foreign workspace is simply not there', async () => expect((await shown({}, '/w/other')).text()).toContain('Not found'))
  it('the instance is its administrator\'s', async () => expect((await shown({ siteAdmin: true }, '/w/default')).text()).toContain('administrator of the whole instance'))
})

describe('messages', () => {
  it('stay while one is on them, and go a moment after', () => {
    const timers: (() => void)[] = []
    const toasts = createToasts(run => timers.push(run))
    toasts.done('Deleted', () => {})
    toasts.hold()
    timers.splice(0).forEach(run => run())
    expect(toasts.items.value).toHaveLength(1)
    toasts.release()
    expect(toasts.items.value).toHaveLength(1)
    timers.splice(0).forEach(run => run())
    expect(toasts.items.value).toHaveLength(0)
  })
})

describe('a preference', () => {
  const changed = async (refused: boolean) => {
    const { client, toasts, global } = world('owner')
    let set: ReturnType<typeof useSetPreference> | undefined
    mount(defineComponent({ setup: () => { set = useSetPreference(); return () => h('p') } }), { global })
    status = refused ? 503 : 0
    const done = set?.({ rail: 'narrow' })
    const at_once = client.getQueryData<Me>(keys.me)?.preferences.rail
    await done
    return { at_once, after: client.getQueryData<Me>(keys.me)?.preferences.rail, toasts }
  }
  it('is shown at once and kept', async () => expect(await changed(false)).toMatchObject({ at_once: 'narrow', after: 'narrow' }))
  it('is taken back when the controller refuses it, and says so', async () => {
    mock.preferences = {}
    const { at_once, after, toasts } = await changed(true)
    expect(at_once).toBe('narrow')
    expect(after).toBeUndefined()
    expect(toasts.items.value[0]?.request).toBe('req-9')
  })
})

describe('the age of data', () => {
  it('is shown when reading it again has failed, and not while all is well', () => {
    const { global } = world()
    expect(mount(DataAge, { props: { at: Date.now() - 34_000 }, global }).text()).toBe('')
    expect(mount(DataAge, { props: { at: Date.now() - 34_000, failed: true }, global }).text()).toMatch(/^▲ as of 3\d s ago$/)
    expect(mount(DataAge, { props: { at: 0, failed: true }, global }).text()).toBe('')
  })
  it('and is shown while updates are paused, not for a single quick reconnect', async () => {
    const { live, sockets, timers, global } = world()
    let connection: ReturnType<typeof useConnection> | undefined
    const page = mount(defineComponent({ setup: () => { connection = useConnection(); return () => h(DataAge, { at: Date.now() - 60_000 }) } }), { global })
    live.subscribe({ workspace: 'default', topic: 'agents' }, { events: () => {}, started: () => {}, reset: () => {} })
    sockets.at(-1)?.onclose?.({ code: 1006 })
    expect(connection?.paused.value).toBe(false)
    timers.splice(0).forEach(run => run())
    sockets.at(-1)?.onclose?.({ code: 1006 })
    await flushPromises()
    expect(connection?.paused.value).toBe(true)
    expect(page.text()).toContain('as of')
    timers.splice(0).forEach(run => run())
    sockets.at(-1)?.onopen?.()
    await flushPromises()
    expect(connection?.paused.value).toBe(false)
    expect(page.text()).toBe('')
  })
})

describe('the calendar', () => {
  const calendar = () => mount(Calendar, { props: { from: '2026-11-20', to: '2026-11-25', today: '2026-11-25' }, attachTo: document.body })
  it('makes a range of two days', async () => {
    const view = calendar()
    await view.get('[data-day="2026-11-03"]').trigger('click')
    expect(view.emitted('range')).toBeUndefined()
    await view.get('[data-day="2026-11-09"]').trigger('click')
    expect(view.emitted('range')).toEqual([['2026-11-03', '2026-11-09']])
    view.unmount()
  })
  it('is moved by keys, over the ends of months, with one day in the tab order', async () => {
    const view = calendar()
    expect(view.findAll('[data-day][tabindex="0"]').map(day => day.attributes('data-day'))).toEqual(['2026-11-25'])
    await view.get('table').trigger('keydown', { key: 'ArrowDown' })
    expect(view.findAll('[data-day][tabindex="0"]').map(day => day.attributes('data-day'))).toEqual(['2026-12-02'])
    expect(view.text()).toContain('December 2026')
    await view.get('table').trigger('keydown', { key: 'Home' })
    expect(view.get('[data-day][tabindex="0"]').attributes('data-day')).toBe('2026-11-30')
    view.unmount()
  })
})

describe('first steps', () => {
  const [online, pending, offline] = [makeAgent('a', 'a'), makeAgent('b', 'b', { status: 'pending' }), makeAgent('c', 'c', { status: 'offline' })]
  it('take the agent of the URL, else one that is there', () => {
    expect(chosenAgent([pending, offline, online], 'b')).toBe(pending)
    expect(chosenAgent([pending, offline, online], '')).toBe(online)
    expect(chosenAgent([pending, offline], 'gone')).toBe(offline)
    expect(chosenAgent([pending], '')).toBeUndefined()
  })
  it('are where the data says', () => {
    expect(stepOf(undefined, [])).toBe('agent')
    expect(stepOf(pending, [])).toBe('agent')
    expect(stepOf(online, [])).toBe('probes')
    expect(stepOf(online, [makeProbe('p', online, 'x')])).toBe('result')
  })
})

it.each([[undefined, 10, 36], [undefined, 51, 28], ['comfortable', 9999, 36], ['compact', 1, 28]] as const)('rows, density %s of %i', (density, rows, height) => expect(rowHeightFor(density, rows)).toBe(height))
