// Every role sees and may do exactly its matrix, in the panel and behind it. Real controller; the matrix is written
// down here once more, so that a change of the code's own table does not pass unseen.
import type { Browser, Page } from 'playwright-core'
import type { Program } from './programs.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { axe, launch, open, settled, shot } from './browser.ts'
import { built, freePort, serve } from './programs.ts'

const PASSWORD = 'five unrelated harmless words'
const ROLES = ['viewer', 'operator', 'admin', 'owner'] as const
type Role = typeof ROLES[number]
const from = (least: Role) => (role: Role) => ROLES.indexOf(role) >= ROLES.indexOf(least)

interface World { slug: string, agent: string, probe: string }
/** What the panel offers, on which page, to whom. */
const OFFERS: readonly { what: string, path: (w: World) => string, shown: (page: Page) => Promise<number>, to: (role: Role) => boolean }[] = [
  { what: 'add an agent', path: () => '/agents', shown: page => page.getByRole('button', { name: 'Add an agent' }).count(), to: from('operator') },
  { what: 'edit an agent', path: w => `/agents/${w.agent}`, shown: page => page.getByRole('button', { name: 'Edit' }).count(), to: from('operator') },
  { what: 'disable an agent', path: w => `/agents/${w.agent}`, shown: page => inMenu(page, 'Disable'), to: from('operator') },
  { what: 'delete an agent', path: w => `/agents/${w.agent}`, shown: page => inMenu(page, 'Delete'), to: from('admin') },
  { what: 'create a probe', path: () => '/probes', shown: page => page.getByRole('link', { name: 'New probe' }).count(), to: from('operator') },
  { what: 'edit a probe', path: w => `/probes/${w.probe}`, shown: page => page.getByRole('link', { name: 'Edit', exact: true }).count(), to: from('operator') },
  { what: 'delete a probe', path: w => `/probes/${w.probe}`, shown: page => inMenu(page, 'Delete'), to: from('admin') },
  { what: 'change the settings', path: () => '/settings', shown: page => page.getByRole('button', { name: 'Save' }).count(), to: from('admin') },
  { what: 'delete the workspace', path: () => '/settings', shown: page => page.getByRole('button', { name: 'Delete', exact: true }).count(), to: from('owner') },
  { what: 'invite somebody', path: () => '/settings/members', shown: page => page.getByRole('button', { name: 'Make a link' }).count(), to: from('admin') },
  { what: 'change a role', path: () => '/settings/members', shown: page => page.getByRole('combobox', { name: 'Role of viewer' }).count(), to: from('admin') },
  { what: 'open the audit log', path: () => '', shown: page => page.getByRole('navigation', { name: 'Workspace', exact: true }).getByRole('link', { name: 'Audit log' }).count(), to: from('admin') },
]
/** What the API does, to whom; requests that are refused whoever asks for another reason are still allowed. */
const REQUESTS: readonly { method: string, path: (w: World) => string, body?: object, to: (role: Role) => boolean }[] = [
  { method: 'POST', path: () => '/agents', body: { name: 'made by the sweep' }, to: from('operator') },
  { method: 'PATCH', path: w => `/agents/${w.agent}`, body: { site: 'here' }, to: from('operator') },
  { method: 'DELETE', path: () => '/agents/agt_0000000000000', to: from('admin') },
  { method: 'PATCH', path: w => `/probes/${w.probe}`, body: { name: 'renamed' }, to: from('operator') },
  { method: 'DELETE', path: () => '/probes/prb_0000000000000', to: from('admin') },
  { method: 'PATCH', path: () => '', body: { settings: { time_zone: 'UTC' } }, to: from('admin') },
  { method: 'POST', path: () => '/invites', body: { email: 'somebody@example.org', role: 'viewer' }, to: from('admin') },
  { method: 'GET', path: () => '/audit', to: from('admin') },
  { method: 'GET', path: () => '/agents', to: from('viewer') },
  { method: 'GET', path: () => '/overview?from=0&to=1000000', to: from('viewer') },
]

async function inMenu(page: Page, name: string): Promise<number> {
  const trigger = page.getByRole('button', { name: /^Actions of the / })
  if (await trigger.count() === 0)
    return 0
  await trigger.click()
  const found = await page.getByRole('menuitem', { name, exact: true }).count()
  await page.keyboard.press('Escape')
  return found
}

/** A browser without a window: cookie and token of one person. */
class Person {
  private cookie = ''
  private csrf = ''
  constructor(readonly base: string) {}

  async call<T = unknown>(method: string, path: string, body?: object): Promise<{ status: number, body: T }> {
    const answer = await fetch(`${this.base}/api/v1${path}`, { method, headers: { 'content-type': 'application/json', 'cookie': this.cookie, 'x-csrf-token': this.csrf }, ...(body ? { body: JSON.stringify(body) } : {}) })
    const cookie = answer.headers.get('set-cookie')?.split(';')[0]
    if (cookie !== undefined)
      this.cookie = cookie
    const text = await answer.text()
    const parsed = (text === '' ? undefined : JSON.parse(text)) as T
    const token = (parsed as { csrf_token?: string } | undefined)?.csrf_token
    if (token !== undefined)
      this.csrf = token
    return { status: answer.status, body: parsed }
  }
}

describe.skipIf(!built())('roles', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nw-roles-'))
  let controller: Program
  let browser: Browser
  let base = ''
  const world: World = { slug: '', agent: '', probe: '' }

  beforeAll(async () => {
    browser = await launch()
    const port = await freePort()
    base = `http://127.0.0.1:${port}`
    controller = await serve('roles-controller', join(folder, 'controller'), port, '--builtin-agent', 'off')
    const token = (await controller.said(/#token=(\S+)/))[1] ?? ''
    const owner = new Person(base)
    const me = await owner.call<{ memberships: { workspace: { slug: string } }[] }>('POST', '/setup', { token, email: 'owner@example.org', name: 'owner', password: PASSWORD, workspace_name: 'Acme' })
    world.slug = me.body.memberships[0]?.workspace.slug ?? ''
    const root = `/workspaces/${world.slug}`
    world.agent = (await owner.call<{ agent: { id: string } }>('POST', `${root}/agents`, { name: 'edge-1' })).body.agent.id
    world.probe = (await owner.call<{ items: { id: string }[] }>('POST', `${root}/probes`, { kind: 'ping', agent_id: world.agent, enabled: true, settings: { target: '127.0.0.1' } })).body.items[0]?.id ?? ''
    for (const role of ['viewer', 'operator', 'admin']) {
      const { body } = await owner.call<{ url: string }>('POST', `${root}/invites`, { email: `${role}@example.org`, role })
      expect((await new Person(base).call('POST', `/invites/${body.url.split('/').at(-1) ?? ''}`, { name: role, password: PASSWORD })).status).toBe(200)
    }
  })
  afterAll(async () => {
    await browser?.close()
    await controller?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it.each(ROLES)('%s: the panel offers what the matrix says, and nothing else', async (role) => {
    const { context, page, faults } = await open(browser, base, {}, /401/)
    await page.goto(`${base}/login`)
    await page.getByLabel('E-mail').fill(`${role}@example.org`)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL('**/w/acme')
    for (const offer of OFFERS) {
      const path = `${base}/w/acme${offer.path(world)}`
      if (page.url().split('?')[0] !== path)
        await page.goto(path)
      await settled(page)
      expect(await offer.shown(page) > 0, `${role}: ${offer.what}`).toBe(offer.to(role))
    }
    await page.goto(`${base}/w/acme/audit`)
    if (from('admin')(role)) {
      await page.getByRole('region', { name: 'Audit log, table' }).waitFor()
    }
    else {
      // Who can grant it is said by name.
      await page.getByText('You may not see this').waitFor()
      await page.getByText(/owner or admin can change your role|admin or owner can change your role/).waitFor()
      expect(await axe(page)).toEqual([])
      await shot(page, `roles-denied-${role}`)
    }
    await page.goto(`${base}/w/acme/settings/roles`)
    await settled(page)
    await shot(page, `roles-matrix-${role}`)
    expect(faults).toEqual([])
    await context.close()
  })

  it.each(ROLES)('%s: the API does what the matrix says, whatever the panel shows', async (role) => {
    const person = new Person(base)
    await person.call('POST', '/session', { email: `${role}@example.org`, password: PASSWORD })
    for (const { method, path, body, to } of REQUESTS) {
      const { status } = await person.call(method, `/workspaces/acme${path(world)}`, body)
      expect(status === 403, `${role}: ${method} ${path(world)} is ${status}`).toBe(!to(role))
    }
    if (role !== 'owner')
      expect((await person.call('DELETE', '/workspaces/acme')).status).toBe(403)
    expect((await person.call('GET', '/instance/audit')).status).toBe(role === 'owner' ? 200 : 403)
  })
})
