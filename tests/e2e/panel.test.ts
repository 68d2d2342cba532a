// The built panel in a real browser, with the mock behind it: what needs every state, and no real network.
import type { Browser } from 'playwright-core'
import type { Served } from './static.ts'
import { cpus, loadavg } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAgent } from '../../panel/tests/mock/data.ts'
import { NEVER } from '../../panel/tests/mock/interfaces.ts'
import { makePath, makeUnreached } from '../../panel/tests/mock/paths.ts'
import { MockController } from '../../panel/tests/mock/server.ts'
import { axe, launch, open, overflow, settled, shot } from './browser.ts'
import { servePanel } from './static.ts'

const PAGES: Record<string, string> = {
  'overview': '/w/default', 'agents': '/w/default/agents', 'agent': '/w/default/agents/a1', 'probes': '/w/default/probes', 'probe-new': '/w/default/probes/new?agent=a1',
  'probe': '/w/default/probes/p1?from=now-24h&to=now', 'probe-path': '/w/default/probes/p901?from=now-24h&to=now', 'probe-diff': '/w/default/probes/p901?from=now-24h&to=now&before=1769212800000', 'probe-edit': '/w/default/probes/p1/edit', 'compare': '/w/default/probes/compare?probes=p1,p2&from=now-24h&to=now', 'map': '/w/default/map', 'map-flat': '/w/default/map?hops=none&layout=concentric', 'agent-interfaces': '/w/default/agents/a1/interfaces', 'interface-table': '/w/default/agents/a1/interfaces?view=table', 'uplinks': '/w/default/uplinks', 'traces': '/w/default/traces', 'trace': '/w/default/traces/tr1', 'settings': '/w/default/settings', 'members': '/w/default/settings/members',
  'roles': '/w/default/settings/roles', 'audit': '/w/default/audit', 'help': '/w/default/help', 'welcome': '/w/default/welcome', 'account': '/account', 'admin': '/admin', 'instance-audit': '/admin/audit', 'workspaces': '/?all=1', 'missing': '/nowhere',
  'login': '/login', 'invite': '/invite/0123456789abcdef',
}
// A phone, a tablet, a desk; the light theme differs in colours only.
const WIDTHS = { dark: [390, 768, 1440], light: [1440] }

let browser: Browser
let served: Served
beforeAll(async () => {
  browser = await launch()
  const mock = new MockController().seed().withPath()
  const [first] = mock.agents
  if (first)
    mock.traces.start({ target: 'svc-3a.example' }, first)
  for (let n = 0; n < 5; n += 1)
    mock.traces.step()
  served = await servePanel(mock)
})
afterAll(async () => {
  await browser?.close()
  await served?.close()
})

describe.each(['dark', 'light'] as const)('every route, %s', (theme) => {
  it.each(Object.entries(PAGES))('%s', async (name, path) => {
    const { context, page, faults } = await open(browser, served.base, { colorScheme: theme })
    for (const width of WIDTHS[theme]) {
      await page.setViewportSize({ width, height: width < 800 ? 844 : 900 })
      await page.goto(served.base + path)
      await settled(page)
      if (width !== 768)
        await shot(page, `${name}-${theme}-${width}`, width === 390)
      expect(await overflow(page), `${name} at ${width} px`).toBeLessThanOrEqual(0)
      if (width !== 768)
        expect(await axe(page), `${name} at ${width} px`).toEqual([])
    }
    expect(faults).toEqual([])
    await context.close()
  })
})

/** What a page asks for besides who is signed in. */
const DATA = /\/api\/v1\/(?!session$|setup$|kinds$)/

describe.each(['dark', 'light'] as const)('every route while its data is missing, %s', (theme) => {
  it.each([['still loading', 'stalled', '.skeleton'], ['failed', 'failing', '[role=alert]']] as const)('%s', async (_, how, mark) => {
    const own = await servePanel(Object.assign(new MockController().seed(), { [how]: how === 'failing' ? /^\/(?!session$|setup$|kinds$)/ : DATA, failingStatus: 409 }))
    const { context, page } = await open(browser, own.base, { colorScheme: theme })
    const checked: string[] = []
    for (const [name, path] of Object.entries(PAGES)) {
      await page.goto(own.base + path)
      // Pages without data of their own have nothing to wait for.
      if (['help', 'missing', 'login', 'account'].includes(name))
        continue
      await page.locator(mark).first().waitFor({ timeout: 15_000 }).catch(() => { throw new Error(`${name}: no ${mark}`) })
      expect(await axe(page), `${name} ${how}`).toEqual([])
      checked.push(name)
    }
    expect(checked.length).toBeGreaterThan(14)
    await context.close()
    await own.close()
  })
})

describe('states', () => {
  const check = async (mock: MockController, path: string, name: string, text: string, expected?: RegExp) => {
    const own = await servePanel(mock)
    const { context, page, faults } = await open(browser, own.base, {}, expected)
    await page.goto(own.base + path)
    await page.getByText(text).first().waitFor()
    await shot(page, name)
    expect(await axe(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
    await own.close()
  }
  it('nothing yet: overview', () => check(new MockController(), '/w/default', 'overview-empty', 'Install an agent'))
  it('nothing yet: agents', () => check(new MockController(), '/w/default/agents', 'agents-empty', 'No agents yet'))
  it('nothing yet: probes', () => check(new MockController(), '/w/default/probes', 'probes-empty', 'No probes yet'))
  const withPath = (change: (mock: MockController) => object) => {
    const mock = new MockController().seed().withPath()
    return Object.assign(mock, change(mock))
  }
  const pathProbe = (mock: MockController) => {
    const probe = mock.probes.find(entry => entry.id === 'p901')
    if (!probe)
      throw new Error('the mock has no path probe')
    return probe
  }
  it('a path that does not arrive', () => check(withPath(mock => ({ shownPath: makeUnreached(pathProbe(mock), Date.now() * 1000) })), '/w/default/probes/p901', 'path-unreached', 'The target was not reached.'))
  it('no path yet', () => check(withPath(mock => ({ shownPath: { ...makePath(pathProbe(mock), Date.now() * 1000, 600, 0), runs: 0, hops: [], links: [], paths: [], first_run_us: null, last_run_us: null } })), '/w/default/probes/p901', 'path-none', 'No path yet'))
  it('an agent that never said what it has', () => check(Object.assign(new MockController().seed(), { shownInterfaces: NEVER }), '/w/default/agents/a1/interfaces', 'interfaces-none', 'The agent has not said what it has yet'))
  it('nothing yet: traces', () => check(new MockController().seed(), '/w/default/traces', 'traces-empty', 'Nothing was traced lately'))
  it('nothing yet: uplinks', () => check(new MockController(), '/w/default/uplinks', 'uplinks-empty', 'No uplinks to compare yet'))
  it('no permission: who can grant it', () => check(Object.assign(new MockController().seed(), { role: 'viewer' as const }), '/w/default/audit', 'forbidden', 'You may not see this'))
  it('another workspace does not exist', () => check(new MockController().seed(), '/w/other', 'foreign', 'Not found', /404/))
  it('one part fails, the rest lives', () => check(Object.assign(new MockController().seed(), { failing: /histogram/ }), '/w/default/probes/p1', 'part-failed', 'mock-7f3a', /500/))
  it('what is wrong with the controller is on every page', async () => {
    const own = await servePanel(Object.assign(new MockController().seed(), { problems: [{ what: 'The disk of the samples is full; agents keep their results.', since_us: Date.now() * 1000 - 240_000_000 }] }))
    const { context, page, faults } = await open(browser, own.base)
    for (const path of ['/w/default', '/w/default/probes/p1', '/admin']) {
      await page.goto(own.base + path)
      await settled(page)
      await page.getByText('The disk of the samples is full').waitFor()
      expect(await axe(page)).toEqual([])
    }
    expect(faults).toEqual([])
    await context.close()
    await own.close()
  })
  it('a viewer is offered nothing that changes anything', async () => {
    const own = await servePanel(Object.assign(new MockController().seed(), { role: 'viewer' as const }))
    const { context, page } = await open(browser, own.base)
    for (const path of ['/w/default/agents', '/w/default/agents/a1', '/w/default/probes', '/w/default/probes/p1', '/w/default/traces', '/w/default/traces?new=1', '/w/default/settings']) {
      await page.goto(own.base + path)
      await settled(page)
      for (const name of [/^Add an agent/, 'Trace now', /^New probe/, 'Edit', 'Delete', 'Save', 'Pause'])
        expect(await page.getByRole('button', { name, exact: typeof name === 'string' }).or(page.getByRole('link', { name, exact: typeof name === 'string' })).count(), `${String(name)} on ${path}`).toBe(0)
    }
    await context.close()
    await own.close()
  })
  it('says when live updates are paused, and goes on by itself', async () => {
    const first = await servePanel()
    const { context, page } = await open(browser, first.base)
    await page.goto(`${first.base}/w/default/probes/p1`)
    await settled(page)
    await first.close()
    await page.getByText('Live updates paused').waitFor({ timeout: 20_000 })
    await shot(page, 'live-paused')
    await context.close()
  })
})

describe('by keyboard only', () => {
  it('finds a probe, reads its chart, changes scale and range, and comes back', async () => {
    const { context, page, faults } = await open(browser, served.base)
    await page.goto(`${served.base}/w/default/agents`)
    await settled(page)
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search' }).waitFor()
    expect(await axe(page)).toEqual([])
    await shot(page, 'palette')
    await page.keyboard.type('van svc3a')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/probes\/p1/)
    await settled(page)
    const chart = page.getByRole('group', { name: /^RTT of vancouver-1/ })
    await chart.focus()
    await page.keyboard.press('Home')
    // The mock's data have gaps at some hours.
    await expect.poll(async () => {
      await page.keyboard.press('Shift+ArrowRight')
      return chart.locator('[aria-live]').innerText()
    }).toMatch(/median [\d.]+ ms/)
    await page.keyboard.press('y')
    await page.getByRole('button', { name: 'Full scale' }).waitFor()
    await chart.blur()
    await page.keyboard.press('-')
    await page.waitForURL(/from=now-2h/)
    await page.keyboard.press('g')
    await page.keyboard.press('p')
    await page.waitForURL(/\/probes$/)
    await page.goBack()
    await page.waitForURL(/from=now-2h/)
    expect(faults).toEqual([])
    await context.close()
  })
  it('filters agents, walks the rows, opens one, deletes it and takes it back', async () => {
    const own = await servePanel()
    const { context, page, faults } = await open(browser, own.base)
    await page.goto(`${own.base}/w/default`)
    await settled(page)
    // The first stop is the way past the navigation.
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to content')
    await page.keyboard.press('Enter')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main')
    await page.keyboard.press('g')
    await page.keyboard.press('a')
    await page.waitForURL(/\/agents$/)
    await settled(page)
    await page.keyboard.press('/')
    await page.keyboard.type('o')
    await page.waitForURL(/q=o/)
    await page.getByRole('table', { name: 'Agents' }).focus()
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('k')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/agents\/a\d+/)
    await settled(page)
    const name = await page.getByRole('heading', { level: 1 }).innerText()
    await page.getByRole('button', { name: 'Actions of the agent' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('menuitem', { name: 'Delete' }).waitFor()
    await page.keyboard.press('End')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/agents$/)
    await page.getByText('1 agent deleted').waitFor()
    expect(own.mock.agents.map(agent => agent.name)).not.toContain(name)
    await page.getByRole('button', { name: 'Undo' }).focus()
    await page.keyboard.press('Enter')
    await page.getByText('1 agent restored').waitFor()
    expect(own.mock.agents.map(agent => agent.name)).toContain(name)
    // The time picker without a mouse.
    await page.keyboard.press('g')
    await page.keyboard.press('o')
    await page.waitForURL(/\/w\/default$/)
    await settled(page)
    await page.keyboard.press('t')
    await page.getByRole('button', { name: 'Last 6 hours' }).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(/from=now-6h/)
    await page.keyboard.press('[')
    await page.waitForURL(/from=\d{13}/)
    await page.keyboard.press('l')
    await page.waitForURL(/to=now/)
    expect(faults).toEqual([])
    await context.close()
    await own.close()
  })
  it('walks the hops of a path, opens one, goes to a change and back, and starts a trace', async () => {
    const own = await servePanel(new MockController().seed().withPath())
    const { context, page, faults } = await open(browser, own.base)
    await page.goto(`${own.base}/w/default/probes/p901?from=now-24h&to=now`)
    await settled(page)
    const hops = page.locator('[data-hop]')
    await hops.first().focus()
    for (let n = 0; n < 9; n += 1)
      await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: /^Hop 7/ }).waitFor()
    expect(await axe(page)).toEqual([])
    await shot(page, 'hop-details')
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.keyboard.press('[')
    await page.waitForURL(/[?&]at=\d{13}/)
    await page.keyboard.press('[')
    await page.getByRole('button', { name: 'Back to now' }).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(url => !url.search.includes('at='))
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search' }).fill('trace now')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Trace now' }).waitFor()
    expect(await axe(page)).toEqual([])
    await page.keyboard.type('svc-3a.example')
    await page.keyboard.press('Tab')
    await page.keyboard.press('ArrowDown')
    await page.getByLabel('Target').press('Enter')
    await page.waitForURL(/\/traces\/tr1$/)
    for (let n = 0; n < 6; n += 1)
      own.mock.tick()
    await page.getByText('Done').waitFor()
    expect(await axe(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
    await own.close()
  })
  it('has every dialog free of violations and closes it with Escape', async () => {
    const { context, page } = await open(browser, served.base)
    await page.goto(`${served.base}/w/default/agents?add=1`)
    await page.getByRole('dialog').waitFor()
    expect(await axe(page)).toEqual([])
    await page.keyboard.type('paris-1')
    await page.keyboard.press('Enter')
    await page.getByText('Waiting for the agent to connect').waitFor()
    expect(await axe(page)).toEqual([])
    await shot(page, 'enrolment')
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    expect(await axe(page)).toEqual([])
    await context.close()
  })
})

describe('looks', () => {
  it('are changed from the palette and kept: colours of a traffic light, compact rows, a narrow rail', async () => {
    const own = await servePanel()
    const { context, page, faults } = await open(browser, own.base)
    await page.goto(`${own.base}/w/default/agents`)
    await settled(page)
    const choose = async (text: string) => {
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox', { name: 'Search' }).fill(text)
      await page.keyboard.press('Enter')
    }
    await choose('classic traffic')
    await page.waitForFunction(() => document.documentElement.dataset.colours === 'classic')
    await choose('theme light')
    await page.waitForFunction(() => document.documentElement.dataset.theme === 'light')
    expect(await axe(page)).toEqual([])
    await shot(page, 'agents-classic-light')
    const height = () => page.getByRole('row').nth(1).evaluate(row => row.getBoundingClientRect().height)
    await choose('comfortable rows')
    await expect.poll(height).toBe(36)
    await choose('compact rows')
    await expect.poll(height).toBe(28)
    await page.getByRole('button', { name: 'Narrow the navigation' }).click()
    await page.getByRole('button', { name: 'Widen the navigation' }).waitFor()
    expect(await page.getByRole('navigation', { name: 'Workspace', exact: true }).evaluate(rail => rail.getBoundingClientRect().width)).toBe(56)
    // A typed range where the page has none leads to the overview with it.
    await choose('last 3 days')
    await page.waitForURL(/\/w\/default\?from=now-3d&to=now/)
    await page.reload()
    await page.getByRole('button', { name: 'Widen the navigation' }).waitFor()
    expect(await page.evaluate(() => document.documentElement.dataset.colours)).toBe('classic')
    expect(faults).toEqual([])
    await context.close()
    await own.close()
  })
  it('single keys are silent when they are turned off', async () => {
    const mock = Object.assign(new MockController().seed(), { preferences: { shortcuts: false } })
    const own = await servePanel(mock)
    const { context, page } = await open(browser, own.base)
    await page.goto(`${own.base}/w/default`)
    await settled(page)
    await page.keyboard.press('?')
    await page.keyboard.press('g')
    await page.keyboard.press('a')
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(page.url()).toBe(`${own.base}/w/default`)
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search' }).waitFor()
    await context.close()
    await own.close()
  })
})

describe('many agents at once', () => {
  it('get labels, are deleted, and the deletion can be undone', async () => {
    const own = await servePanel()
    const { context, page, faults } = await open(browser, own.base)
    await page.goto(`${own.base}/w/default/agents?label=core`)
    await settled(page)
    await page.getByRole('checkbox', { name: 'Select all' }).check()
    await page.getByText('3 selected').waitFor()
    await page.getByRole('button', { name: 'Labels', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Add').fill('lab, 2026')
    await dialog.getByLabel('isp-b').check()
    expect(await axe(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Change' }).click()
    await page.getByText('Labels of 3 agents changed').waitFor()
    expect(own.mock.agents.filter(agent => agent.labels.join() === '2026,core,lab')).toHaveLength(3)
    await page.getByRole('button', { name: 'Undo' }).last().click()
    await page.getByText('Labels are as before').waitFor()
    expect(own.mock.agents.filter(agent => agent.labels.join() === 'core,isp-b')).toHaveLength(3)
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText('3 agents deleted').waitFor()
    expect(own.mock.agents).toHaveLength(3)
    await page.getByRole('status').filter({ hasText: '3 agents deleted' }).getByRole('button', { name: 'Undo' }).last().click()
    await page.getByText('3 agents restored').waitFor()
    expect(own.mock.agents).toHaveLength(6)
    expect(faults).toEqual([])
    await context.close()
    await own.close()
  })
  it('with one whose credential was copied: it says so, and what to do', async () => {
    const mock = new MockController().seed()
    Object.assign(mock.agents[0] ?? {}, { twin: { addresses: ['192.0.2.10', '198.51.100.7'], at_us: Date.now() * 1000 } })
    const own = await servePanel(mock)
    const { context, page } = await open(browser, own.base)
    await page.goto(`${own.base}/w/default/agents/a1`)
    await page.getByRole('alert', { name: 'Copied credential' }).waitFor()
    expect(await axe(page)).toEqual([])
    await shot(page, 'agent-twin')
    await page.getByRole('button', { name: 'Issue a new token' }).click()
    await page.getByRole('dialog').getByText('Waiting for the agent').or(page.getByRole('dialog').getByText('is connected')).first().waitFor()
    await context.close()
    await own.close()
  })
})

describe('many probes at once', () => {
  it('are selected, edited and deleted, and the deletion can be undone', async () => {
    const own = await servePanel()
    const { context, page, faults } = await open(browser, own.base)
    await page.goto(`${own.base}/w/default/probes?q=london`)
    await settled(page)
    await page.getByRole('checkbox', { name: 'Select all' }).check()
    await page.getByText('3 selected').waitFor()
    await page.getByRole('button', { name: 'Edit', exact: true }).click()
    await page.getByLabel('Interval', { exact: true }).fill('30 s')
    expect(await axe(page)).toEqual([])
    await shot(page, 'bulk-edit')
    await page.getByRole('button', { name: 'Change 3 probes' }).click()
    await page.getByText('3 probes changed').waitFor()
    expect(own.mock.probes.filter(probe => probe.settings.interval === 30_000)).toHaveLength(3)
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText('Nothing matches the filter').waitFor()
    expect(own.mock.probes).toHaveLength(15)
    // The edit before can be undone as well: the newest is the deletion.
    await page.getByRole('button', { name: 'Undo' }).last().click()
    await page.getByText('3 probes restored').waitFor()
    await expect.poll(() => page.getByRole('row').count()).toBe(4)
    expect(faults).toEqual([])
    await context.close()
    await own.close()
  })
})

describe('an agent whose host was lost', () => {
  it('has its credential revoked, after a question, and is pending again', async () => {
    const own = await servePanel()
    const { context, page, faults } = await open(browser, own.base)
    await page.goto(`${own.base}/w/default/agents/a1`)
    await settled(page)
    await page.getByRole('button', { name: 'Actions of the agent' }).click()
    await page.getByRole('menuitem', { name: 'Revoke its credential' }).click()
    await page.getByRole('dialog', { name: /^Revoke the credential of/ }).waitFor()
    expect(await axe(page)).toEqual([])
    await shot(page, 'agent-revoke')
    await page.getByRole('button', { name: 'Revoke', exact: true }).click()
    await page.getByText(/is revoked$/).waitFor()
    await page.getByRole('button', { name: 'Show how to connect it' }).waitFor()
    expect(own.mock.agents.find(agent => agent.id === 'a1')?.status).toBe('pending')
    expect(faults).toEqual([])
    await context.close()
    await own.close()
  })
})

describe('time range', () => {
  it('is in the URL alone: zoom by drag, back, absolute text', async () => {
    const { context, page } = await open(browser, served.base)
    await page.goto(`${served.base}/w/default/probes/p1?from=now-6h&to=now`)
    await settled(page)
    const box = await page.locator('.u-over').first().boundingBox()
    if (!box)
      throw new Error('no plot')
    await page.mouse.move(box.x + box.width * 0.3, box.y + 40)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.6, box.y + 60, { steps: 5 })
    await page.mouse.up()
    await page.waitForURL(/from=\d{13}&to=\d{13}/)
    await page.goBack()
    await page.waitForURL(/from=now-6h/)
    await page.locator('[data-time-picker]').click()
    expect(await axe(page)).toEqual([])
    await shot(page, 'time-picker')
    // Two days of the calendar are a range, from the first's beginning to the last's end.
    await page.getByRole('button', { name: 'Month before' }).click()
    const days = page.locator('table [data-day]')
    const [first, last] = [await days.nth(8).getAttribute('data-day') ?? '', await days.nth(10).getAttribute('data-day') ?? '']
    await days.nth(10).click()
    await days.nth(8).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(new RegExp(`from=${Date.parse(`${first}T00:00:00Z`)}&to=${Date.parse(`${last}T00:00:00Z`) + 86_400_000}`))
    await page.locator('[data-time-picker]').click()
    await page.getByRole('checkbox', { name: 'Compare with the period before' }).check()
    await page.waitForURL(/compare=1/)
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Stop comparing with the period before' }).click()
    await page.waitForURL(url => !url.search.includes('compare'))
    await page.locator('[data-time-picker]').click()
    await page.getByLabel('From', { exact: true }).fill('2026-01-24 14:00')
    await page.getByLabel('To', { exact: true }).fill('2026-01-24 13:00')
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.getByText('Must be later than the beginning').waitFor()
    await page.getByLabel('To', { exact: true }).fill('2026-01-24 15:00')
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.waitForURL(new RegExp(`from=${Date.UTC(2026, 0, 24, 14)}&to=${Date.UTC(2026, 0, 24, 15)}`))
    await context.close()
  })
})

describe('strings from the network', () => {
  it('are text everywhere', async () => {
    const hostile = '<img src=x onerror="document.title=\'owned\'">‮evil'
    const mock = new MockController().seed()
    for (const agent of mock.agents)
      Object.assign(agent, { name: hostile, hostname: hostile, site: hostile, version: hostile, labels: [hostile] })
    for (const probe of mock.probes)
      Object.assign(probe, { name: hostile, problem: hostile, target: { id: 't', address: hostile, name: hostile } })
    const own = await servePanel(mock)
    const { context, page, faults } = await open(browser, own.base)
    for (const path of ['/w/default', '/w/default/agents', '/w/default/agents/a1', '/w/default/probes', '/w/default/probes/p1']) {
      await page.goto(own.base + path)
      await settled(page)
      expect(await page.locator('img[src="x"]').count()).toBe(0)
      expect(await page.title()).not.toContain('owned')
    }
    expect(faults).toEqual([])
    await context.close()
    await own.close()
  })
})

/** Budgets are for an idle machine: twice that is allowed, and more where others want the same cores. */
const allowed = (targetMs: number) => 2 * targetMs * Math.max(1, (loadavg()[0] ?? 1) / cpus().length)

describe('budgets', () => {
  it('first paint of the overview, and a warm change of route', async () => {
    const lcps: number[] = []
    const changes: number[] = []
    // The best of three: other work on the machine only ever adds.
    for (let i = 0; i < 3; i += 1) {
      const { context, page } = await open(browser, served.base)
      await page.goto(`${served.base}/w/default`)
      await settled(page)
      lcps.push(await page.evaluate(() => new Promise<number>(done => new PerformanceObserver(list => done(list.getEntries().at(-1)?.startTime ?? 0)).observe({ type: 'largest-contentful-paint', buffered: true }))))
      const visit = (title: string) => page.evaluate(async (wanted) => {
        const begin = performance.now()
        document.querySelector<HTMLElement>(`nav[aria-label="Workspace"] a[title="${wanted}"]`)?.click()
        while (!document.querySelector('h1')?.textContent?.includes(wanted))
          await new Promise(done => requestAnimationFrame(done))
        return performance.now() - begin
      }, title)
      await visit('Agents')
      await visit('Overview')
      changes.push(await visit('Agents'))
      await context.close()
    }
    const [lcp, change] = [Math.min(...lcps), Math.min(...changes)]
    console.log(`LCP ${lcp.toFixed(0)} ms, warm route change ${change.toFixed(0)} ms`)
    expect(lcp).toBeLessThan(allowed(700))
    expect(change).toBeLessThan(allowed(150))
  })
  it('ten thousand agents: few rows in the document', async () => {
    const mock = new MockController().seed()
    mock.agents = Array.from({ length: 10_000 }, (_, i) => makeAgent(`a${i}`, `agent-${i}`))
    const own = await servePanel(mock)
    const { context, page } = await open(browser, own.base)
    await page.goto(`${own.base}/w/default/agents`)
    await settled(page)
    expect(await page.getByRole('row').count()).toBeLessThan(120)
    // First paint: the list is known, the page is not there yet.
    const arrive = async () => {
      await page.evaluate(() => document.querySelector<HTMLElement>('nav[aria-label="Workspace"] a[title="How to read"]')?.click())
      await page.getByRole('heading', { name: 'How to read this' }).waitFor()
      return page.evaluate(async () => {
        const begin = performance.now()
        document.querySelector<HTMLElement>('nav[aria-label="Workspace"] a[title="Agents"]')?.click()
        while (!document.querySelector('[role=rowgroup] a'))
          await new Promise(done => requestAnimationFrame(done))
        return performance.now() - begin
      })
    }
    const arrivals = [await arrive(), await arrive(), await arrive()]
    console.log(`10,000 agents: first paint in ${Math.min(...arrivals).toFixed(0)} ms, ${await page.getByRole('row').count()} rows`)
    expect(Math.min(...arrivals)).toBeLessThan(allowed(200))
    const filter = (text: string) => page.evaluate(async (wanted) => {
      const input = document.querySelector<HTMLInputElement>('[data-filter]')
      const begin = performance.now()
      if (input) {
        input.value = wanted
        input.dispatchEvent(new Event('input'))
      }
      while (!document.querySelector('[role=rowgroup] a')?.textContent?.includes(wanted))
        await new Promise(done => requestAnimationFrame(done))
      return performance.now() - begin
    }, text)
    const times: number[] = []
    for (const text of ['999', '1234', '77', '4321', '888'])
      times.push(await filter(text))
    const painted = Math.min(...times)
    console.log(`10,000 agents: filtered and painted in ${painted.toFixed(0)} ms`)
    expect(painted).toBeLessThan(allowed(200))
    await context.close()
    await own.close()
  })
  it('redraws a day quickly and does not grow while it is live', async () => {
    const { context, page } = await open(browser, served.base)
    await page.goto(`${served.base}/w/default/probes/p1?from=now-24h&to=now`)
    await settled(page)
    const heap = async () => page.evaluate(async () => {
      const g = globalThis as unknown as { gc: () => void, performance: { memory: { usedJSHeapSize: number } } }
      g.gc()
      await new Promise(done => setTimeout(done, 200))
      g.gc()
      return g.performance.memory.usedJSHeapSize
    })
    await page.evaluate(() => {
      const draws: number[] = []
      Object.assign(globalThis, { draws })
      new PerformanceObserver(list => draws.push(...list.getEntriesByName('nw-chart-draw').map(entry => entry.duration))).observe({ entryTypes: ['measure'] })
    })
    const before = await heap()
    for (let i = 0; i < 40; i += 1) {
      served.mock.tick()
      await page.waitForTimeout(260)
    }
    const grown = (await heap() - before) / 1e6
    console.log(`heap after 40 live redraws of a day: ${grown.toFixed(2)} MB more`)
    expect(grown).toBeLessThan(10)
    const draws = (await page.evaluate(() => (globalThis as unknown as { draws: number[] }).draws)).sort((a, b) => a - b)
    const median = draws[draws.length >> 1] ?? Number.POSITIVE_INFINITY
    console.log(`redraw of a day: median ${median.toFixed(1)} ms, p95 ${(draws[Math.floor(draws.length * 0.95)] ?? 0).toFixed(1)} ms of ${draws.length}`)
    expect(median).toBeLessThan(allowed(16))
    await context.close()
  })
})
