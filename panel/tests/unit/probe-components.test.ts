// The parts of the probe pages in every state, found by role as a person would.
import type { AnnotationDraft } from '@/features/probes/useAnnotations'
import type { Annotation } from '@/api/types'
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { keys } from '@/api/keys'
import { applyEvents } from '@/api/lists'
import { LiveClient } from '@/api/live'
import { ApiError } from '@/api/problem'
import { LIVE } from '@/app/context'
import HistogramChart from '@/charts/HistogramChart.vue'
import OutcomeTimeline from '@/charts/OutcomeTimeline.vue'
import AnnotationDialog from '@/features/probes/AnnotationDialog.vue'
import ChartLegend from '@/features/probes/ChartLegend.vue'
import CopyDialog from '@/features/probes/CopyDialog.vue'
import EventsCard from '@/features/probes/EventsCard.vue'
import HistogramCard from '@/features/probes/HistogramCard.vue'
import OutcomeCard from '@/features/probes/OutcomeCard.vue'
import SummaryTiles from '@/features/probes/SummaryTiles.vue'
import { useAnnotations } from '@/features/probes/useAnnotations'
import { useProbeActions } from '@/features/probes/useProbeActions'
import { createToasts, TOASTS } from '@/ui/toast'
import VirtualTable from '@/ui/VirtualTable.vue'
import { makeAgent, makeProbe, makeSeries, PING } from '../mock/data'
import { MockController } from '../mock/server'

const T0 = 1_769_212_800_000_000
const problem = (status: number, part = {}) => new ApiError({ type: 'about:blank', title: 'Broken', detail: 'the store is closed', status, request_id: 'req-42', ...part })

function world() {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/help/:slug?', name: 'help', component: { render: () => null } }, { path: '/:rest(.*)*', name: 'any', component: { render: () => null } }] })
  const live = new LiveClient({ open: () => ({ onopen: null, onmessage: null, onclose: null, send: () => {}, close: () => {} }), now: () => 0, random: () => 0, later: () => () => {} })
  const toasts = createToasts(() => {})
  return { client, router, toasts, global: { plugins: [[VueQueryPlugin, { queryClient: client }], router] as never, provide: { [LIVE as symbol]: live, [TOASTS as symbol]: toasts } } }
}
function answered(mock: MockController) {
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
    const request = input as Request
    const url = new URL(request.url)
    const text = await request.clone().text()
    const { status, body } = mock.answer({ method: request.method, query: url.searchParams, path: url.pathname.replace('/api/v1/', '').split('/'), body: text === '' ? {} : JSON.parse(text) as Record<string, unknown> })
    return new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' } })
  })
}
/** Runs a composable where one runs. */
function inside<T>(w: ReturnType<typeof world>, run: () => T): T {
  let value: T | undefined
  mount(defineComponent({ setup: () => { value = run(); return () => h('i') } }), { global: w.global })
  return value as T
}
beforeEach(() => answered(new MockController().seed()))
afterEach(() => {
  document.body.innerHTML = ''
  vi.restoreAllMocks()
})

describe('the distribution', () => {
  it('asks again at once as long as there is nothing, then every ten seconds', async () => {
    const some = { column: 'rtt', unit: 'us', from_us: T0, to_us: T0 + 1, count: 1, min: 1000, max: 1000, lower: [990], upper: [1010], counts: [1] }
    const answers = [{ ...some, count: 0, min: null, max: null, lower: [], upper: [], counts: [] }, some]
    const fetching = vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response(JSON.stringify(answers.shift() ?? some), { headers: { 'content-type': 'application/json' } }))
    const range = { from: 'now-15m', to: 'now' } as never
    const view = mount(HistogramCard, { props: { workspace: 'default', probe: 'p1', column: 'rtt', name: 'a', range, resolved: { fromMs: 0, toMs: 1 } as never, version: T0 }, global: world().global })
    await flushPromises()
    expect(view.text()).toContain('No answers in this range')
    await view.setProps({ version: T0 + 1_000_000 })
    await flushPromises()
    expect(view.text()).toContain('1 value')
    const asked = fetching.mock.calls.length
    await view.setProps({ version: T0 + 2_000_000 })
    await flushPromises()
    expect(fetching.mock.calls.length).toBeLessThanOrEqual(asked + 1)
    await view.setProps({ version: T0 + 40_000_000 })
    await flushPromises()
    expect(fetching.mock.calls.length).toBeGreaterThan(asked)
  })
})

describe('events of a probe', () => {
  const events = new MockController(() => T0).seed().answer({ method: 'GET', path: ['workspaces', 'default', 'probes', 'p1', 'events'], query: new URLSearchParams({ from: String(T0 - 864e8), to: String(T0) }), body: {} }).body as never
  const shown = (part: object) => mount(EventsCard, { props: { events, error: null, kind: PING, writable: true, ...part }, global: world().global, attachTo: document.body })
  it('loading', () => expect(shown({ events: undefined }).get('[role=status]').text()).toBe('Loading'))
  it('failed', () => expect(shown({ events: undefined, error: problem(500) }).get('[role=alert]').text()).toContain('the store is closed'))
  it('nothing happened', () => expect(shown({ events: { items: [], truncated: false } }).text()).toContain('Nothing happened'))
  it('newest first, in words, with who did it', () => {
    const rows = shown({}).findAll('li').map(row => row.text())
    expect(rows[0]).toMatch(/note.*Works on the line.*Lee/)
    expect(rows[1]).toMatch(/configuration.*Packets per interval 10 packets → 20 packets.*Ana Moreno/)
    expect(rows.at(-1)).toMatch(/agent gone.*connection reset/)
  })
  it('says when there is more', () => expect(shown({ events: { items: [], truncated: true } }).text()).toContain('zoom in for the rest'))
  it('offers a note to those who may write, and only to them', async () => {
    const writer = shown({})
    await writer.findAll('button').find(button => button.text() === 'Add a note')?.trigger('click')
    expect(writer.emitted('note')).toHaveLength(1)
    expect(shown({ writable: false }).text()).not.toContain('Add a note')
  })
})

describe('writing a note', () => {
  const draft: AnnotationDraft = { probe: 'p1', atUs: T0, untilUs: null, text: '' }
  function opened(save: (draft: AnnotationDraft) => Promise<unknown>, part: Partial<AnnotationDraft> = {}) {
    const w = world()
    w.client.setQueryData(keys.me, { user: { id: 'u', email: '', name: '' }, csrf_token: '', is_site_admin: false, preferences: { zone: 'UTC' }, memberships: [] })
    const view = mount(AnnotationDialog, { props: { draft: { ...draft, ...part }, save }, global: w.global, attachTo: document.body })
    return { view, dialog: () => document.querySelector('[role=dialog]') as HTMLElement, field: (label: string) => [...document.querySelectorAll('label')].find(found => found.textContent?.startsWith(label))?.htmlFor ?? '' }
  }
  const type = (id: string, text: string) => {
    const input = document.getElementById(id) as HTMLInputElement
    input.value = text
    input.dispatchEvent(new Event('input'))
  }
  const submit = async () => {
    document.querySelector('form')?.dispatchEvent(new Event('submit', { cancelable: true }))
    await flushPromises()
  }
  it('asks for a text when it is saved, not before', async () => {
    const save = vi.fn(async () => {})
    const { dialog } = opened(save)
    await nextTick()
    expect(dialog().querySelector('[role=alert]')).toBeNull()
    await submit()
    expect(dialog().querySelector('[role=alert]')?.textContent).toContain('Is required')
    expect(save).not.toHaveBeenCalled()
  })
  it('refuses a wrong time as one types', async () => {
    const { dialog, field } = opened(async () => {})
    await nextTick()
    type(field('Until'), '2020-01-01 00:00')
    await nextTick()
    expect(dialog().querySelector('[role=alert]')?.textContent).toContain('Must be later')
  })
  it('saves what was written, for one probe or for all', async () => {
    const save = vi.fn<(draft: AnnotationDraft) => Promise<void>>(async () => {})
    const { view, field } = opened(save)
    await nextTick()
    type(field('Note'), ' storm ')
    type(field('Until'), '2026-01-24 01:00')
    const everywhere = document.querySelector('input[type=checkbox]') as HTMLInputElement
    everywhere.checked = true
    everywhere.dispatchEvent(new Event('change'))
    await submit()
    expect(save.mock.calls[0]?.[0]).toEqual({ probe: null, atUs: T0, untilUs: T0 + 3_600_000_000, text: 'storm' })
    expect(view.emitted('close')).toHaveLength(1)
  })
  it('stays open with the reason when the server refuses', async () => {
    const { view, dialog } = opened(async () => { throw problem(503) }, { text: 'x' })
    await nextTick()
    await submit()
    expect(dialog().textContent).toContain('the store is closed')
    expect(view.emitted('close')).toBeUndefined()
  })
  it('an edit does not move a note between probes', () => {
    opened(async () => {}, { id: 'n1' })
    expect(document.querySelector('input[type=checkbox]')).toBeNull()
  })
  it('a deleted note comes back by undo, and the charts are told each time', async () => {
    const w = world()
    const mock = new MockController().seed()
    answered(mock)
    const told = vi.spyOn(w.client, 'invalidateQueries')
    const note = mock.annotations[0] as Annotation
    const notes = inside(w, () => useAnnotations(() => 'default'))
    await notes.remove(note)
    expect(mock.annotations).toEqual([])
    w.toasts.items.value.at(-1)?.undo?.()
    await flushPromises()
    expect(mock.annotations).toEqual([note])
    expect(told.mock.calls.map(call => (call[0] as { queryKey: unknown }).queryKey)).toEqual([keys.events('default'), keys.events('default')])
  })
  it('of somebody else is read again at once', () => {
    const w = world()
    const told = vi.spyOn(w.client, 'invalidateQueries')
    applyEvents(w.client, 'default', [{ type: 'annotated', probe: 'p1' }, { type: 'annotated', probe: null }])
    expect(told.mock.calls.map(call => (call[0] as { queryKey: unknown }).queryKey)).toEqual([['ws', 'default', 'events', 'p1'], ['ws', 'default', 'events']])
  })
})

describe('outcomes over time', () => {
  const spans = [{ state: 'up' as const, from: 0, to: 60, runs: 60 }, { state: 'down' as const, from: 60, to: 70, runs: 10 }, { state: 'not_measured' as const, from: 70, to: 80, runs: 10 }, { state: 'no_data' as const, from: 80, to: 100, runs: 0 }]
  const timeline = () => mount(OutcomeTimeline, { props: { spans, from: 0, to: 100, stamp: (us: number) => `t${us / 1e6}`, label: 'Outcomes' }, global: world().global })
  it('look different, each of them', () => {
    const looks = timeline().findAll('rect[data-state]').map(rect => `${rect.attributes('fill')?.replace(/#.*-/, '')} ${rect.attributes('height')}`)
    expect(new Set(looks).size).toBe(4)
  })
  it('are read and zoomed by keyboard', async () => {
    const view = timeline()
    const chart = view.get('[role=group]')
    await chart.trigger('keydown', { key: 'Home' })
    await chart.trigger('keydown', { key: 'ArrowRight' })
    expect(view.get('[role=status]').text()).toBe('t60: down for 10 s, 10 runs')
    await chart.trigger('keydown', { key: 'Enter' })
    expect(view.emitted('zoom')).toEqual([[30, 100]])
    await chart.trigger('keydown', { key: 'End' })
    expect(view.get('[role=status]').text()).toBe('t80: no data for 20 s, 0 runs')
  })
  it('list their interruptions as data', async () => {
    const series = makeSeries(makeProbe('p1', makeAgent('a1', 'x'), 't'), T0, T0 + 864e8, T0 + 2 * 864e8, { width: 720 })
    const view = mount(OutcomeCard, { props: { series, kind: PING, range: { fromMs: T0 / 1000, toMs: T0 / 1000 + 86_400_000 }, name: 'x' }, global: world().global })
    await view.findAll('button').find(button => button.text() === 'View data')?.trigger('click')
    const rows = view.findAll('[aria-label=Interruptions] tbody tr').map(row => row.text())
    expect(rows).toHaveLength(3)
    expect(rows[0]).toContain('down')
    expect(rows[1]).toContain('not measured')
    expect(rows[2]).toContain('no data')
  })
})

describe('a histogram', () => {
  const histogram = { column: 'rtt', unit: 'us', from_us: 0, to_us: 1, count: 10, min: 1000, max: 49_000, lower: [1000, 48_000], upper: [2000, 49_000], counts: [9, 1] }
  it('is read bar by bar', async () => {
    const view = mount(HistogramChart, { props: { histogram } })
    await view.get('[role=group]').trigger('keydown', { key: 'Home' })
    expect(view.get('[role=status]').text()).toMatch(/1.00 ms – 2.00 ms: about 9, 90 %/)
    await view.get('[role=group]').trigger('keydown', { key: 'End' })
    expect(view.get('[role=status]').text()).toMatch(/about 1, 10 %/)
  })
})

describe('the legend', () => {
  it('names what is on the chart and nothing else', () => {
    const legend = (part: object) => mount(ChartLegend, { props: { smoke: true, lines: [], ...part }, global: world().global }).text()
    expect(legend({})).not.toMatch(/usual|period before|one packet|event/)
    expect(legend({ usual: true, compared: true, packets: true, events: true })).toMatch(/one packet.*usual.*period before.*event/)
  })
})

describe('the period before', () => {
  it('stands in the tiles beside this one', () => {
    const series = makeSeries(makeProbe('p1', makeAgent('a1', 'x'), 't'), T0, T0 + 36e8, T0 + 2 * 864e8, { width: 60 })
    expect(mount(SummaryTiles, { props: { series, kind: PING, before: series } }).text()).toContain('before: ')
    expect(mount(SummaryTiles, { props: { series, kind: PING } }).text()).not.toContain('before')
  })
})

describe('many probes', () => {
  it('are copied to other agents, without what is there, and taken back', async () => {
    const w = world()
    const mock = new MockController().seed(3)
    answered(mock)
    const before = mock.probes.length
    mock.probes = mock.probes.filter(probe => probe.id !== 'p11')
    const actions = inside(w, () => useProbeActions(() => 'default'))
    await actions.copyTo(mock.probes.filter(probe => probe.agent.id === 'a1'), ['a2', 'a3'], [...mock.probes], true)
    expect(mock.probes).toHaveLength(before)
    expect(w.toasts.items.value.at(-1)?.text).toBe('1 probe created')
    w.toasts.items.value.at(-1)?.undo?.()
    await flushPromises()
    expect(mock.probes).toHaveLength(before - 1)
  })
  it('are copied without an undo by those who may not delete', async () => {
    const w = world()
    const mock = new MockController().seed(2)
    answered(mock)
    const actions = inside(w, () => useProbeActions(() => 'default'))
    await actions.copyTo(mock.probes.slice(0, 1), ['a2'], [], false)
    expect(w.toasts.items.value.at(-1)?.text).toBe('1 probe created')
    expect(w.toasts.items.value.at(-1)?.undo).toBeUndefined()
  })
  it('get their own settings back by undo', async () => {
    const w = world()
    const mock = new MockController().seed(2)
    answered(mock)
    Object.assign(mock.probes[1]?.settings ?? {}, { interval: 5000 })
    const chosen = mock.probes.slice(0, 2).map(probe => ({ ...probe, settings: { ...probe.settings } }))
    const actions = inside(w, () => useProbeActions(() => 'default'))
    await actions.setSettings(chosen, { interval: 30_000 })
    expect(mock.probes.slice(0, 2).map(probe => probe.settings.interval)).toEqual([30_000, 30_000])
    w.toasts.items.value.at(-1)?.undo?.()
    await flushPromises()
    expect(mock.probes.slice(0, 2).map(probe => probe.settings.interval)).toEqual([60_000, 5000])
  })
  it('are paused, and resumed by undo', async () => {
    const w = world()
    const mock = new MockController().seed(1)
    answered(mock)
    const actions = inside(w, () => useProbeActions(() => 'default'))
    await actions.setEnabled(mock.probes.slice(0, 2), false)
    expect(mock.probes.map(probe => probe.enabled)).toEqual([false, false, true])
    w.toasts.items.value.at(-1)?.undo?.()
    await flushPromises()
    expect(mock.probes.every(probe => probe.enabled)).toBe(true)
    expect(w.toasts.items.value.at(-1)?.undo).toBeUndefined()
  })
  it('the dialog says how many it makes before it does', async () => {
    const mock = new MockController().seed(2)
    const view = mount(CopyDialog, { props: { open: true, chosen: mock.probes.slice(0, 1), agents: mock.agents, present: mock.probes }, global: world().global, attachTo: document.body })
    await nextTick()
    const text = () => document.querySelector('[role=dialog] [role=status]')?.textContent ?? ''
    const pick = async (name: string) => {
      const box = [...document.querySelectorAll('label')].find(label => label.textContent?.includes(name))?.querySelector('input')
      box?.click()
      await nextTick()
    }
    expect(text()).toContain('at least one agent')
    await pick('london-1')
    expect(text()).toContain('measured there already')
    await view.setProps({ present: mock.probes.slice(0, 3) })
    expect(text()).toContain('Makes 1 probe')
    document.querySelector('[role=dialog] form')?.dispatchEvent(new Event('submit', { cancelable: true }))
    expect(view.emitted('copy')).toEqual([[['a2']]])
  })
})

describe('a table with groups', () => {
  it('has headings across, which cannot be picked', async () => {
    const items = [{ id: 'g', head: true }, { id: 'r1', head: false }, { id: 'r2', head: false }]
    const view = mount(VirtualTable as never, { props: { items, columns: [{ id: 'a', label: 'A', width: '1fr' }], label: 'T', selectable: true, heading: (item: { head: boolean }) => item.head }, slots: { heading: '<b>Group</b>', cell: 'cell' } } as never)
    await nextTick()
    await view.get('[aria-label="Select all"]').setValue(true)
    expect([...(view.emitted('update:selected')?.[0]?.[0] as Set<string>)]).toEqual(['r1', 'r2'])
  })
})
