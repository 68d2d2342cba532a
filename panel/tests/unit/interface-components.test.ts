// The interfaces of an agent, the field that chooses one, and uplinks side by side.
import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import InterfaceField from '@/features/agents/interfaces/InterfaceField.vue'
import InterfacesPage from '@/features/agents/interfaces/InterfacesPage.vue'
import UplinksPage from '@/features/uplinks/UplinksPage.vue'
import ProbeFormPage from '@/features/probes/ProbeFormPage.vue'
import { NEVER } from '../mock/interfaces'
import { MockController } from '../mock/server'
import { answeredBy, worldAt } from './world'

enableAutoUnmount(afterEach)
let mock: MockController
let asked: ReturnType<typeof answeredBy>
beforeEach(() => {
  mock = new MockController().seed()
  asked = answeredBy(mock)
})
afterEach(() => vi.restoreAllMocks())

async function page(query = '', agent = 'a1') {
  const w = await worldAt(`/w/default/agents/${agent}/interfaces${query}`, mock)
  const view = mount(InterfacesPage, { global: w.global, attachTo: document.body })
  await flushPromises()
  return { ...w, view }
}

describe('interfaces of an agent', () => {
  it('loading', async () => {
    vi.spyOn(globalThis, 'fetch').mockImplementation(() => new Promise(() => {}))
    expect((await page()).view.get('[role=status]').text()).toBe('Loading')
  })
  it('failed, while the rest lives', async () => {
    mock.failing = /interfaces$/
    mock.failingStatus = 409
    const { view } = await page()
    expect(view.get('[role=alert]').text()).toContain('The interfaces could not be loaded')
    expect(view.text()).toContain('eth0: carrier lost')
  })
  it('never reported', async () => {
    mock.shownInterfaces = NEVER
    expect((await page()).view.text()).toContain('The agent has not said what it has yet')
    expect((await page('?at=1769212800000')).view.text()).toContain('Nothing is known of that time')
  })
  it('say state, speed, addresses, maker, gateway and public address', async () => {
    const { view } = await page()
    const card = view.get('[aria-label=eth0]').text()
    for (const text of ['Up', 'default', '1 Gbit/s, full duplex', '192.0.2.10/24', '2001:db8:1:2:9c1e:77ff:fe3a:1/64 temporary', 'Intel Corporate', '192.0.2.1, fe80::1', '203.0.113.77', '3 probes'])
      expect(card).toContain(text)
    expect(view.get('[aria-label=eth2]').text()).toContain('No carrier')
  })
  it('as a table', async () => {
    const { view } = await page('?view=table')
    expect(view.get('table[aria-label=Interfaces]').findAll('tbody tr')).toHaveLength(7)
  })
  it('of an agent that is away are as of a time, and grey', async () => {
    const { view } = await page('', 'a6')
    expect(view.text()).toContain('▲ as of 60 min ago')
    expect(view.findAll('.opacity-60').length).toBeGreaterThan(1)
  })
  it('as they were at a moment, with the way back', async () => {
    const { view } = await page('?at=1769212800000')
    expect(asked.find(entry => entry.url.pathname.endsWith('/interfaces'))?.url.searchParams.get('at')).toBe('1769212800000999')
    expect(view.text()).toContain('As it was at 2026-01-24 00:00:00 UTC.')
    expect(view.findAll('a').find(found => found.text() === 'Back to now')?.attributes('href')).not.toContain('at=')
  })
  it('filters routes by family and table, and the rules with them', async () => {
    const { view } = await page()
    await view.get('[aria-label="Routing table"]').setValue('200')
    expect(view.text()).toContain('1 of 8 routes')
    expect(view.findAll('ol li')).toHaveLength(2)
    await view.get('[aria-label="Address family"]').setValue('v6')
    expect(view.text()).toContain('Nothing matches the filter')
  })
  it('history leads to how it was then', async () => {
    const { view } = await page()
    const rows = view.get('[aria-label="History of the interfaces"]').findAll('li')
    expect(rows[3]?.text()).toMatch(/the default route went to eth1.*eth0 → eth1, took 1\.83 s/s)
    expect(rows[0]?.get('a').attributes('href')).toMatch(/at=\d{13}/)
  })
  it('tabs have numbers for keys', async () => {
    const { router } = await page()
    window.dispatchEvent(new KeyboardEvent('keydown', { key: '1' }))
    await vi.waitFor(() => expect(router.currentRoute.value.name).toBe('agent'), { timeout: 20_000 })
  })
})

describe('the field of an interface', () => {
  async function field(agents: string[], modelValue = '') {
    const w = await worldAt('/w/default/probes/new', mock)
    const view = mount(InterfaceField, { props: { workspace: 'default', agents, label: 'Interface', modelValue }, global: w.global, attachTo: document.body })
    await flushPromises()
    return view
  }
  it('is a choice of what the agent has', async () => {
    const view = await field(['a1'])
    await view.get('select').setValue('eth1')
    expect(view.emitted('update:modelValue')).toEqual([['eth1']])
  })
  it('is typed when the agent never said, and says so', async () => {
    mock.shownInterfaces = NEVER
    const view = await field(['a1'])
    await view.get('input').setValue('ppp0')
    expect(view.emitted('update:modelValue')).toEqual([['ppp0']])
    expect(view.text()).toContain('No interfaces are known there yet')
  })
  it('can still be typed when the question fails', async () => {
    mock.failing = /interfaces$/
    mock.failingStatus = 409
    expect((await field(['a1'])).find('input').exists()).toBe(true)
  })
  it('keeps a name that has gone', async () => expect((await field(['a1'], 'ppp7')).get('select').text()).toContain('ppp7 · not reported'))
  it('is the probe form\'s, with what an edited probe has', async () => {
    const probe = mock.probes.find(entry => entry.id === 'p1')
    Object.assign(probe?.settings ?? {}, { interface: 'eth1' })
    const w = await worldAt('/w/default/probes/p1/edit', mock)
    const view = mount(ProbeFormPage, { global: w.global, attachTo: document.body })
    await flushPromises()
    await flushPromises()
    expect((view.findAll('select').find(found => found.text().startsWith('As routed'))?.element as HTMLSelectElement).value).toBe('eth1')
  })
})

describe('uplinks', () => {
  async function uplinks() {
    const w = await worldAt('/w/default/uplinks', mock)
    const view = mount(UplinksPage, { global: w.global, attachTo: document.body })
    await flushPromises()
    return view
  }
  it('nothing to compare', async () => {
    mock.probes = []
    expect((await uplinks()).text()).toContain('No uplinks to compare yet')
  })
  it('failed', async () => {
    mock.failing = /uplinks/
    mock.failingStatus = 409
    expect((await uplinks()).get('[role=alert]').text()).toContain('The uplinks could not be loaded')
  })
  it('side by side, with failovers and the way to compare', async () => {
    const view = await uplinks()
    const card = view.get('section[aria-label="vancouver-1 → svc-3a.example"]')
    expect(card.findAll('tbody tr').map(row => row.get('th').text())).toEqual(['eth0', 'eth1', 'As routed'])
    expect(card.findAll('tbody tr')[1]?.text()).toMatch(/Up.*Fair.*2\.1 %.*41\.7 ms.*66\.0 ms.*4\.10 ms.*198\.51\.100\.200/s)
    expect(card.get('[aria-label=Failovers]').text()).toContain('eth0 → eth1, took 1.83 s')
    expect(card.findAll('a').find(found => found.text() === 'Open in compare')?.attributes('href')).toMatch(/compare\?probes=p1,p2,p3$/)
  })
})
