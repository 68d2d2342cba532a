// Components in the states that every page has, selected by role as a person would find them.
import type { KindSetting } from '@/api/types'
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { api } from '@/api/client'
import { keys } from '@/api/keys'
import { LiveClient } from '@/api/live'
import { ApiError } from '@/api/problem'
import { LIVE } from '@/app/context'
import Sparkline from '@/charts/Sparkline.vue'
import AddAgentDialog from '@/features/agents/AddAgentDialog.vue'
import SettingField from '@/features/probes/SettingField.vue'
import LoginPage from '@/features/session/LoginPage.vue'
import { GRADE_LOOK, GRADES } from '@/lib/grade'
import Card from '@/ui/Card.vue'
import EmptyState from '@/ui/EmptyState.vue'
import ErrorState from '@/ui/ErrorState.vue'
import Mark from '@/ui/Mark.vue'
import RemoteData from '@/ui/RemoteData.vue'
import { createToasts, TOASTS } from '@/ui/toast'
import VirtualTable from '@/ui/VirtualTable.vue'
import { PING } from '../mock/data'
import { MockController } from '../mock/server'

const problem = (status: number, part = {}) => new ApiError({ type: 'about:blank', title: 'Broken', detail: 'the store is closed', status, request_id: 'req-42', ...part })

function world() {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:rest(.*)*', name: 'any', component: { render: () => null } }] })
  const live = new LiveClient({ open: () => ({ onopen: null, onmessage: null, onclose: null, send: () => {}, close: () => {} }), now: () => 0, random: () => 0, later: () => () => {} })
  const toasts = createToasts(() => {})
  return { client, router, toasts, global: { plugins: [[VueQueryPlugin, { queryClient: client }], router] as never, provide: { [LIVE as symbol]: live, [TOASTS as symbol]: toasts } } }
}

/** Requests of the component are answered by the mock controller. */
function answered(mock: MockController) {
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
    const request = input as Request
    const url = new URL(request.url)
    const text = await request.clone().text()
    const { status, body } = mock.answer({ method: request.method, query: url.searchParams, path: url.pathname.replace('/api/v1/', '').split('/'), body: text === '' ? {} : JSON.parse(text) as Record<string, unknown> })
    return new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
  })
}
afterEach(() => { document.body.innerHTML = '' })

describe('remote data', () => {
  const shown = (data: string | undefined, error: unknown) => mount(RemoteData, { props: { data, error }, slots: { default: ({ data: value }: { data: unknown }) => `value ${String(value)}` } })
  it('loading: a status, no spinner page', () => expect(shown(undefined, null).get('[role=status]').text()).toBe('Loading'))
  it('failed: what, request id, retry', async () => {
    const view = shown(undefined, problem(500))
    expect(view.get('[role=alert]').text()).toContain('the store is closed')
    expect(view.text()).toContain('req-42')
    await view.get('button').trigger('click')
    expect(view.emitted('retry')).toHaveLength(1)
  })
  it('there', () => expect(shown('x', null).text()).toBe('value x'))
  it('stale: the old value stays and says so', () => {
    const view = shown('x', problem(503))
    expect(view.text()).toContain('value x')
    expect(view.text()).toContain('Could not be refreshed')
  })
  it('shows a value that counts as false', () => expect(mount(RemoteData, { props: { data: 0, error: null }, slots: { default: () => 'zero' } }).text()).toBe('zero'))
})

describe('errors', () => {
  it('forbidden: who can grant it, and no retry', () => {
    const view = mount(ErrorState, { props: { error: problem(403) } })
    expect(view.text()).toContain('An owner or administrator')
    expect(view.find('button').exists()).toBe(false)
  })
  it('not found says nothing about whether it exists elsewhere', () => expect(mount(ErrorState, { props: { error: problem(404) } }).text()).toContain('does not exist, was deleted, or is not in a workspace of yours'))
  it('hostile text is text', () => {
    const view = mount(ErrorState, { props: { error: problem(500, { detail: '<img src=x onerror=alert(1)>' }) } })
    expect(view.find('img').exists()).toBe(false)
    expect(view.text()).toContain('<img')
  })
  it('stay inside their card', async () => {
    const Broken = defineComponent(() => () => { throw new Error('boom') })
    const view = mount(Card, { props: { title: 'Part' }, slots: { default: () => h(Broken) } })
    await nextTick()
    expect(view.get('h2').text()).toBe('Part')
    expect(view.get('[role=alert]').text()).toContain('boom')
  })
})

describe('marks', () => {
  it.each(GRADES)('%s has its word', grade => expect(mount(Mark, { props: { look: GRADE_LOOK[grade] } }).text()).toBe(GRADE_LOOK[grade].word))
  it('without its word it has a name', () => {
    const view = mount(Mark, { props: { look: GRADE_LOOK.critical, hideWord: true } })
    expect(view.get('svg').attributes()).toMatchObject({ 'role': 'img', 'aria-label': 'Critical' })
  })
})

describe('fields from a declaration', () => {
  const named = (name: string) => PING.settings.find(entry => entry.name === name) as KindSetting
  const field = (name: string, modelValue: string | boolean, error?: string) => mount(SettingField, { props: { setting: named(name), modelValue, error } })
  it('ties label, help and error to the control', () => {
    const view = field('target', '', 'Is required')
    const input = view.get('input')
    expect(view.get('label').attributes('for')).toBe(input.attributes('id'))
    expect(input.attributes('aria-invalid')).toBe('true')
    for (const id of input.attributes('aria-describedby')?.split(' ') ?? ['missing'])
      expect(view.find(`#${id}`).exists()).toBe(true)
    expect(view.get('[role=alert]').text()).toContain('Is required')
  })
  it('a choice is a select with the declared labels', () => expect(field('family', 'auto').findAll('option').map(option => option.text())).toEqual(['Automatic (RFC 6724)', 'IPv4 only', 'IPv6 only']))
  it('a boolean is a checkbox', async () => {
    const view = field('dont_fragment', false)
    await view.get('input[type=checkbox]').setValue(true)
    expect(view.emitted('update:modelValue')?.[0]).toEqual([true])
  })
  it('an integer shows its unit', () => expect(field('packets', '20').text()).toContain('packets'))
  it('a secret is not readable', () => expect(mount(SettingField, { props: { setting: { ...named('interface'), secret: true }, modelValue: 'x' } }).get('input').attributes('type')).toBe('password'))
})

describe('table', () => {
  const items = Array.from({ length: 10_000 }, (_, i) => ({ id: `r${i}`, name: `row ${i}` }))
  const table = () => mount(VirtualTable<{ id: string, name: string }>, { attachTo: document.body, props: { items, label: 'Rows', selectable: true, sort: 'name', columns: [{ id: 'name', label: 'Name', width: '1fr', sortable: true }] }, slots: { cell: ({ item }: { item: { name: string } }) => item.name } })
  it('has few of its ten thousand rows in the document, and says how many there are', () => {
    const view = table()
    expect(view.findAll('[role=row]').length).toBeLessThan(120)
    expect(view.get('[role=table]').attributes('aria-rowcount')).toBe('10001')
  })
  it('is worked by keyboard: J, J, Enter opens the second', async () => {
    const view = table()
    for (const key of ['j', 'j', 'Enter'])
      await view.get('[role=table]').trigger('keydown', { key })
    expect(view.emitted('open')?.[0]).toEqual([items[1]])
  })
  it('sorts one way, then the other', async () => {
    const view = table()
    expect(view.findAll('[role=columnheader]')[1]?.attributes('aria-sort')).toBe('ascending')
    await view.get('[role=columnheader] button').trigger('click')
    expect(view.emitted('sort')?.[0]).toEqual(['-name'])
  })
  it('selects all', async () => {
    const view = table()
    await view.get('input[aria-label="Select all"]').trigger('change')
    expect((view.emitted('update:selected')?.[0]?.[0] as Set<string>).size).toBe(10_000)
  })
})

describe('toasts', () => {
  it('keeps the last few, with undo and request id', () => {
    const timers: (() => void)[] = []
    const toasts = createToasts(run => timers.push(run))
    const undone: string[] = []
    toasts.done('Deleted', () => undone.push('x'))
    toasts.failed('Not saved', problem(500))
    expect(toasts.items.value.map(toast => toast.text)).toEqual(['Deleted', 'Not saved: the store is closed'])
    expect(toasts.items.value[1]?.request).toBe('req-42')
    toasts.items.value[0]?.undo?.()
    expect(undone).toEqual(['x'])
    for (let i = 0; i < 10; i += 1)
      toasts.done(`n ${i}`)
    expect(toasts.items.value).toHaveLength(4)
    timers.forEach(run => run())
    expect(toasts.items.value).toEqual([])
  })
})

describe('sparkline', () => {
  it('breaks where there is no value', () => expect(mount(Sparkline, { props: { values: [1, 2, null, 3, 4], label: 'x' } }).get('path').attributes('d')?.match(/M/g)).toHaveLength(2))
  it('draws nothing for nothing', () => expect(mount(Sparkline, { props: { values: [], label: 'x' } }).get('path').attributes('d')).toBe(''))
})

describe('signing in', () => {
  it('does not tell an unknown address from a wrong password', async () => {
    answered(new MockController().seed())
    const { global } = world()
    const view = mount(LoginPage, { global })
    await view.get('input[type=email]').setValue('ana@example.org')
    await view.get('input[type=password]').setValue('wrong')
    await view.get('form').trigger('submit')
    await flushPromises()
    await vi.waitFor(() => expect(view.get('[role=alert]').text()).toContain('Address or password is wrong.'), { timeout: 20_000 })
  })
  it('remembers who it is and sends the token with what it changes', async () => {
    answered(new MockController().seed())
    const { global, client } = world()
    const view = mount(LoginPage, { global })
    await view.get('input[type=email]').setValue('ana@example.org')
    await view.get('input[type=password]').setValue('correct horse')
    await view.get('form').trigger('submit')
    await vi.waitFor(() => expect(client.getQueryData(keys.me)).toMatchObject({ user: { name: 'Ana Moreno' } }), { timeout: 20_000 })
    await api.DELETE('/session')
    expect((vi.mocked(fetch).mock.lastCall?.[0] as Request).headers.get('X-CSRF-Token')).toBe('mock-csrf')
  })
})

describe('adding an agent', () => {
  it('shows the server\'s word at the field, then the command and the waiting card', async () => {
    answered(new MockController().seed())
    const { global } = world()
    mount(AddAgentDialog, { props: { open: true, workspace: 'default' }, global, attachTo: document.body })
    await nextTick()
    const name = () => document.querySelector<HTMLInputElement>('[role=dialog] input')
    const type = async (value: string) => {
      const input = name()
      if (!input)
        throw new Error('no field')
      input.value = value
      input.dispatchEvent(new Event('input'))
      await nextTick()
      document.querySelector('[role=dialog] form')?.dispatchEvent(new Event('submit'))
    }
    await type('taken')
    await vi.waitFor(() => expect(document.querySelector('[role=dialog] [role=alert]')?.textContent).toContain('Is taken'), { timeout: 20_000 })
    await type('paris-1')
    await vi.waitFor(() => expect(document.querySelector('[role=dialog]')?.textContent).toContain('/install.sh | sudo sh -s -- --token'), { timeout: 20_000 })
    expect(document.querySelector('[role=dialog] [role=status]')?.textContent).toContain('Waiting for the agent')
  })
})

describe('empty states', () => {
  it('say what to do in one sentence', () => expect(mount(EmptyState, { props: { title: 'No probes yet', text: 'Create one.' } }).text()).toContain('Create one.'))
})
