// Traces on demand in every state.
import type { Trace } from '@/features/trace/types'
import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { keys } from '@/api/keys'
import TracePage from '@/features/trace/TracePage.vue'
import TracesPage from '@/features/trace/TracesPage.vue'
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

async function traces(query = '') {
  const w = await worldAt(`/w/default/traces${query}`, mock)
  const view = mount(TracesPage, { global: w.global, attachTo: document.body })
  await flushPromises()
  const dialog = () => document.querySelector<HTMLElement>('[role=dialog]')
  const field = (label: string) => document.getElementById([...document.querySelectorAll('label')].find(found => found.textContent?.replace(' *', '') === label)?.htmlFor ?? '') as HTMLInputElement
  const fill = (label: string, value: string) => {
    field(label).value = value
    field(label).dispatchEvent(new Event('input'))
    field(label).dispatchEvent(new Event('change'))
  }
  const submit = async () => {
    dialog()?.querySelector('form')?.dispatchEvent(new Event('submit', { cancelable: true }))
    await flushPromises()
  }
  return { ...w, view, dialog, field, fill, submit }
}
function started(part: Partial<Trace> = {}): Trace {
  const [agent] = mock.agents
  if (!agent)
    throw new Error('the mock has no agent')
  const trace = { ...mock.traces.start({ target: 'svc-3a.example' }, agent), ...part }
  mock.traces.items[0] = trace
  return trace
}
async function page(trace: Trace) {
  const w = await worldAt(`/w/default/traces/${trace.id}`, mock)
  const view = mount(TracePage, { global: w.global, attachTo: document.body })
  await flushPromises()
  return { ...w, view, button: (text: string) => view.findAll('button, a').find(found => found.text() === text) }
}

describe('recent traces', () => {
  it('none yet', async () => expect((await traces()).view.text()).toContain('Nothing was traced lately'))
  it('failed', async () => {
    mock.failing = /traces/
    mock.failingStatus = 409
    expect((await traces()).view.get('[role=alert]').text()).toContain('The traces could not be loaded')
  })
  it('each with its link', async () => {
    const trace = started()
    const { view } = await traces()
    expect(view.get(`a[href="/w/default/traces/${trace.id}"]`).text()).toBe('svc-3a.example')
    expect(view.get('tbody').text()).toMatch(/Waiting.*vancouver-1.*ICMP, all paths.*Ana Moreno/s)
  })
  it('of one agent', async () => {
    await traces('?agent=a2')
    expect(asked.find(entry => entry.url.pathname.endsWith('/traces'))?.url.searchParams.get('agent')).toBe('a2')
  })
})

describe('the form', () => {
  it('is filled in by its link, and leads to the trace that it starts', async () => {
    const { dialog, field, submit, router } = await traces('?new=1&agent=a1&target=dns.example&protocol=udp&port=53')
    expect(dialog()?.textContent).toContain('Trace now')
    expect([field('Target').value, field('From').value, field('Port').value]).toEqual(['dns.example', 'a1', '53'])
    await submit()
    expect(asked.find(entry => entry.method === 'POST')?.body).toEqual({ agent: 'a1', target: 'dns.example', protocol: 'udp', port: 53, flows: 'mda', cycles: 10, period_ms: 500 })
    await vi.waitFor(() => expect(router.currentRoute.value.fullPath).toBe('/w/default/traces/tr1'), { timeout: 20_000 })
  })
  it('says what is missing when it is sent, not before', async () => {
    const { dialog, submit } = await traces('?new=1')
    expect(dialog()?.querySelector('[role=alert]')).toBeNull()
    await submit()
    expect([...dialog()?.querySelectorAll('[role=alert]') ?? []].map(found => found.textContent)).toEqual(['▲Is required', '▲Choose an agent'])
    expect(asked.some(entry => entry.method === 'POST')).toBe(false)
  })
  it('shows at its field what the server refuses', async () => {
    const { dialog, fill, submit } = await traces('?new=1&agent=a1')
    fill('Target', 'refused.example')
    await submit()
    expect(dialog()?.querySelector('[role=alert]')?.textContent).toContain('Is not allowed here')
  })
  it('offers the interfaces of the agent', async () => {
    const { field } = await traces('?new=1&agent=a1')
    expect([...field('Interface').querySelectorAll('option')].map(option => option.textContent)).toEqual(['As routed', 'eth0 · 192.0.2.10', 'eth1 · 10.20.0.2', 'lo', 'wg0 · 10.99.0.2', 'wwan0 · switched off'])
  })
  it('warns of an agent that is not there', async () => {
    const { dialog } = await traces('?new=1&agent=a6')
    expect(dialog()?.textContent).toContain('lagos-2 is not connected')
  })
  it('closed, it leaves the list without what had filled it in', async () => {
    const { router, dialog } = await traces('?new=1&agent=a1&target=x&tz=utc')
    dialog()?.querySelector<HTMLElement>('[aria-label=Close]')?.click()
    await flushPromises()
    expect(router.currentRoute.value.query).toEqual({ tz: 'utc' })
  })
})

describe('a trace', () => {
  it('loading', async () => {
    vi.spyOn(globalThis, 'fetch').mockImplementation(() => new Promise(() => {}))
    expect((await page(started())).view.get('[role=status]').text()).toBe('Loading')
  })
  it('that does not exist', async () => expect((await page({ ...started(), id: 'nope' })).view.get('[role=alert]').text()).toContain('Not found'))
  it('waits for its agent, until it expires', async () => {
    const { view } = await page(started())
    expect(view.text()).toMatch(/Waiting for vancouver-1 to take it up; expires in (?:29|30|31) s/)
    expect(view.text()).toContain('No hop has answered yet')
  })
  it('goes on by the live socket: hops as they come, then the sentence', async () => {
    const trace = started()
    const { view, connect, say, sent } = await page(trace)
    connect()
    const subscription = sent.find(message => message.topic === 'trace')
    expect(subscription).toMatchObject({ type: 'subscribe', trace: trace.id })
    const next = (n: number) => say({ type: 'event', id: subscription?.id, cursor: String(n), events: [{ type: 'trace', trace: mock.traces.step()[0] }] })
    next(1)
    await flushPromises()
    expect(view.get('[role=progressbar]').attributes()).toMatchObject({ 'aria-valuenow': '2', 'aria-valuemax': '10' })
    expect(view.findAll('tbody tr')).toHaveLength(9)
    expect(view.text()).not.toContain('was not reached')
    for (let n = 2; n <= 5; n += 1)
      next(n)
    await flushPromises()
    expect(view.find('[role=progressbar]').exists()).toBe(false)
    expect(view.text()).toContain('Loss begins at hop 8')
    expect(sent.at(-1)).toMatchObject({ type: 'unsubscribe', id: subscription?.id })
  })
  it('is cancelled, and says so', async () => {
    const trace = started()
    const { view, button } = await page(trace)
    await button('Cancel')?.trigger('click')
    await flushPromises()
    expect(asked.some(entry => entry.method === 'DELETE')).toBe(true)
    expect(view.text()).toContain('It was cancelled before anything had come.')
    expect(button('Cancel')).toBeUndefined()
  })
  it('expired, failed', async () => {
    expect((await page(started({ state: 'expired' }))).view.text()).toContain('did not take it up in time')
    expect((await page(started({ state: 'failed', reason: 'eth1 is down' }))).view.text()).toContain('It failed: eth1 is down')
  })
  it('can be made again as it was', async () => {
    const { button } = await page(started({ state: 'done', settings: { protocol: 'tcp', port: 443, flows: 'mda', cycles: 10, period_ms: 500, max_hops: 30, size: 64, dscp: 0, interface: '', family: 'auto' } }))
    expect(button('Trace again')?.attributes('href')).toBe('/w/default/traces?new=1&agent=a1&target=svc-3a.example&protocol=tcp&port=443')
  })
  it('what has ended is not followed', async () => {
    const { sent, connect, client } = await page(started({ state: 'done' }))
    connect()
    expect(sent.filter(message => message.topic === 'trace' && message.type === 'subscribe').length).toBeLessThanOrEqual(0)
    expect(client.getQueryData<Trace>(keys.trace('default', 'tr1'))?.state).toBe('done')
  })
})
