// First run to first live result, as a person does it: real controller, real agent, real packets over loopback.
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Program } from './programs.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { axe, launch, open, settled, shot } from './browser.ts'
import { AGENT, built, freePort, run, serve, start } from './programs.ts'

const FIRST_RESULT_MS = 120_000
const PASSWORD = 'five unrelated harmless words'

describe.skipIf(!built())('first run to first live result', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nw-e2e-'))
  const programs: Program[] = []
  let browser: Browser
  let base = ''
  let setupUrl = ''
  let port = 0
  let context: BrowserContext
  let page: Page
  let faults: string[]
  let begun = 0

  const begin = async () => {
    const controller = await serve(`controller-${programs.length}`, join(folder, 'controller'), port, '--agent-program', AGENT)
    programs.push(controller)
    return controller
  }

  beforeAll(async () => {
    browser = await launch()
    port = await freePort()
    base = `http://127.0.0.1:${port}`
    const controller = await begin()
    const [, path] = await controller.said(/(\/setup#token=\S+)/)
    setupUrl = base + path
    // 401 is how the panel learns that nobody is signed in; the socket's loss is provoked by the restart below.
    ;({ context, page, faults } = await open(browser, base, {}, /401|WebSocket|ERR_CONNECTION_REFUSED/))
  })
  afterAll(async () => {
    await context?.close()
    await browser?.close()
    for (const program of programs.reverse())
      await program.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('sends everybody to the set-up as long as there is nobody', async () => {
    await page.goto(base)
    await page.waitForURL('**/setup')
  })

  it('creates the administrator by the one-time link', async () => {
    begun = Date.now()
    await page.goto('about:blank')
    await page.goto(setupUrl)
    await page.getByLabel('Your name').fill('Ana Moreno')
    await page.getByLabel('E-mail').fill('ana@example.org')
    await page.getByLabel('Password').fill(PASSWORD)
    await shot(page, 'journey-1-setup')
    expect(await axe(page)).toEqual([])
    await page.getByRole('button', { name: 'Create and continue' }).click()
    await page.waitForURL('**/w/*/welcome')
    await page.goto(page.url().replace('/welcome', '/agents?add=1'))
  })

  it('enrols an agent by the line that it shows, and turns by itself', async () => {
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('loopback-1')
    await dialog.getByRole('button', { name: 'Continue' }).click()
    const command = await dialog.locator('code').innerText()
    const token = /--token[= ](\S+)/.exec(command)?.[1] ?? ''
    expect(token).not.toBe('')
    await dialog.getByText('Waiting for the agent to connect').waitFor()
    const data = join(folder, 'agent')
    run(AGENT, ['enroll', '--controller', base, '--token', token, '--data-dir', data])
    programs.push(start('agent', AGENT, ['run', '--data-dir', data]))
    await dialog.getByText('loopback-1 is connected').waitFor({ timeout: 20_000 })
    await shot(page, 'journey-2-enrolled')
    await dialog.getByRole('link', { name: 'Create its first probes' }).click()
    await page.waitForURL('**/welcome?agent=*')
    await page.getByRole('link', { name: 'Another probe, with every setting' }).click()
    await page.waitForURL('**/probes/new?agent=*')
  })

  it('refuses what cannot be measured, at the field', async () => {
    await settled(page)
    await page.getByLabel('Target').fill('not a host')
    await page.getByLabel('Interval', { exact: true }).fill('1 ms')
    await page.getByRole('button', { name: 'Create probe' }).click()
    await page.getByText('Must be a host name or an address').waitFor()
    await page.getByText('Must be a length of time').waitFor()
    expect(await axe(page)).toEqual([])
  })

  it('shows the first result while one looks, within two minutes of the start', async () => {
    await page.getByLabel('Target').fill('127.0.0.1')
    await page.getByLabel('Interval', { exact: true }).fill('1 s')
    await page.getByLabel('Packets per interval').fill('5')
    await page.getByRole('button', { name: 'Create probe' }).click()
    await page.waitForURL(/\/probes\/(?!new)[^/]+$/)
    await page.getByText(/^Latest .*: ok$/).waitFor({ timeout: 30_000 })
    const took = Date.now() - begun
    console.log(`set-up link to first result: ${(took / 1000).toFixed(1)} s`)
    expect(took).toBeLessThan(FIRST_RESULT_MS)
  })

  it('draws it live on the smoke chart, with true values', async () => {
    const chart = page.getByRole('group', { name: /loss and outcome strips/ })
    await chart.waitFor()
    await page.goto(`${page.url().split('?')[0]}?from=now-15m&to=now`)
    await settled(page)
    // More results come in on the open page: the number of runs in the outcomes grows without a reload.
    const runs = async () => Number((await page.getByRole('region', { name: 'Outcomes' }).innerText()).match(/(\d+) runs?/)?.[1] ?? 0)
    await expect.poll(runs, { timeout: 60_000 }).toBeGreaterThan(3)
    await chart.focus()
    await page.keyboard.press('End')
    await expect.poll(async () => {
      await page.keyboard.press('ArrowLeft')
      return chart.locator('[aria-live]').innerText()
    }, { timeout: 15_000 }).toMatch(/median [\d.]+ (?:µs|ms), .*loss 0 %, grade Excellent/)
    await shot(page, 'journey-3-live')
    await chart.blur()
    expect(await axe(page)).toEqual([])
  })

  /** Raw rows of the probe on the page, asked for with the page's own session. */
  const rows = () => page.evaluate(async () => {
    const [, workspace, probe] = /\/w\/([^/]+)\/probes\/([^/?]+)/.exec(location.pathname) ?? []
    const to = (Date.now() + 60_000) * 1000
    const answer = await fetch(`/api/v1/workspaces/${workspace}/probes/${probe}/samples?from=${to - 3_600_000_000}&to=${to}&limit=10000`)
    return (await answer.json() as { rows: { at_us: number[], columns: Record<string, number[]> } }).rows
  })
  /** The longest time between two rows that follow each other, in seconds. */
  const longestGap = (at: readonly number[]) => Math.max(...at.map((us, i) => i === 0 ? 0 : us - (at[i - 1] ?? us))) / 1e6

  it('takes an edit without a reload and without a gap', async () => {
    await page.getByRole('link', { name: 'Edit', exact: true }).click()
    await page.waitForURL('**/edit')
    await settled(page)
    await page.getByLabel('Packets per interval').fill('7')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.waitForURL(/\/probes\/(?!new)[^/]+$/)
    await page.getByText('revision 2').waitFor()
    await expect.poll(async () => (await rows()).columns.sent?.at(-1), { timeout: 20_000 }).toBe(7)
    // At most one interval of before and one of after.
    expect(longestGap((await rows()).at_us)).toBeLessThanOrEqual(2.1)
  })

  it('goes on by itself after the controller was away, and nothing is missing', async () => {
    // A chart stands still while the pointer is on it.
    await page.mouse.move(5, 400)
    const before = (await rows()).at_us.length
    await programs[0]?.stop()
    await page.getByText('Live updates paused').waitFor({ timeout: 30_000 })
    expect(await axe(page)).toEqual([])
    await shot(page, 'journey-4-away')
    await begin()
    await page.getByText('Live updates paused').waitFor({ state: 'detached', timeout: 30_000 })
    // What was measured meanwhile arrives late and is drawn without a reload.
    await expect.poll(async () => (await rows()).at_us.length, { timeout: 60_000 }).toBeGreaterThan(before + 5)
    const drawn = async () => Number((await page.getByRole('region', { name: 'Outcomes' }).innerText()).match(/(\d+) runs?/)?.[1] ?? 0)
    await expect.poll(drawn, { timeout: 30_000 }).toBeGreaterThan(before + 5)
    await expect.poll(async () => longestGap((await rows()).at_us), { timeout: 30_000 }).toBeLessThanOrEqual(2.1)
  })

  it('shows every page to its administrator without a fault', async () => {
    const slug = /\/w\/([^/]+)/.exec(page.url())?.[1] ?? ''
    for (const path of ['', '/agents', '/probes', '/settings', '/settings/members', '/settings/roles', '/audit', '/help']) {
      await page.goto(`${base}/w/${slug}${path}`)
      await settled(page)
      await shot(page, `journey-4${path.replaceAll('/', '-') || '-overview'}`)
      expect(await page.getByRole('alert').count(), path).toBe(0)
      expect(await axe(page), path).toEqual([])
    }
    await page.goto(`${base}/w/${slug}/agents`)
    await page.getByRole('link', { name: 'loopback-1' }).click()
    await page.waitForURL('**/agents/*')
    await settled(page)
    await shot(page, 'journey-4-agent')
    expect(await axe(page)).toEqual([])
    for (const path of ['/account', '/admin', '/?all=1']) {
      await page.goto(base + path)
      await settled(page)
      expect(await page.getByRole('alert').count(), path).toBe(0)
    }
    expect(faults).toEqual([])
  })

  it('lets an invited viewer see, and change nothing', async () => {
    const slug = await page.evaluate(async () => ((await (await fetch('/api/v1/session')).json()) as { memberships: { workspace: { slug: string } }[] }).memberships[0]?.workspace.slug ?? '')
    await page.goto(`${base}/w/${slug}/settings/members`)
    await page.getByLabel('E-mail').fill('lee@example.org')
    await page.getByRole('button', { name: 'Make a link' }).click()
    const link = new URL(await page.locator('code').innerText()).pathname
    const guest = await open(browser, base, {}, /401|403|404/)
    await guest.page.goto(base + link)
    await guest.page.getByLabel('Your name').fill('Lee')
    await guest.page.getByLabel('Password').fill(PASSWORD)
    await guest.page.getByRole('button', { name: 'Accept' }).click()
    await guest.page.waitForURL(/\/\?all=1|\/w\//)
    await guest.page.goto(`${base}/w/${slug}/probes`)
    await settled(guest.page)
    expect(await guest.page.getByRole('link', { name: 'New probe' }).count()).toBe(0)
    // The interface only leaves out what the API refuses.
    const refused = await guest.page.evaluate(async (workspace) => {
      const me = await (await fetch('/api/v1/session')).json() as { csrf_token: string }
      return (await fetch(`/api/v1/workspaces/${workspace}/agents`, { method: 'POST', headers: { 'content-type': 'application/json', 'X-CSRF-Token': me.csrf_token }, body: JSON.stringify({ name: 'mine' }) })).status
    }, slug)
    expect(refused).toBe(403)
    await guest.page.goto(`${base}/w/${slug}/audit`)
    await guest.page.getByText('You may not see this').waitFor()
    await guest.context.close()
  })

  it('signs out and in again', async () => {
    await page.goto(base)
    await settled(page)
    await page.getByRole('button', { name: /^Account/ }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await page.waitForURL('**/login')
    await page.getByLabel('E-mail').fill('ana@example.org')
    await page.getByLabel('Password').fill('not the password')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('Address or password is wrong.').waitFor()
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL('**/w/**')
  })
})
