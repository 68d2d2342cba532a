// A controller with one agent, here or on a host of its own, set up by the API: for tests of what comes afterwards.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContextOptions } from 'playwright-core'
import type { Watched } from './browser.ts'
import type { Namespaces } from './host.ts'
import type { Program } from './programs.ts'
import { launch, open } from './browser.ts'
import { AGENT, freePort, run, serve, start } from './programs.ts'

export const PASSWORD = 'five unrelated harmless words'
type Json = Record<string, unknown>

export class Installation {
  base = ''
  workspace = ''
  agent = ''
  cookie = ''
  private csrf = ''
  private readonly folder = mkdtempSync(join(tmpdir(), 'nw-e2e-'))
  private readonly programs: Program[] = []

  /** `name` is in those of its logs; `on` is where its agent measures from. */
  constructor(private readonly name: string, private readonly on?: Namespaces) {}

  async up(): Promise<void> {
    const port = await freePort()
    this.base = `http://127.0.0.1:${port}`
    const controller = await serve(`controller-${this.name}`, join(this.folder, 'controller'), port)
    this.programs.push(controller)
    const [, token] = await controller.said(/\/setup#token=(\S+)/)
    const me = await this.call('POST', '/setup', { token, email: 'ana@example.org', name: 'Ana Moreno', password: PASSWORD, workspace_name: 'Default' })
    this.csrf = String(me.csrf_token)
    this.workspace = ((me.memberships as { workspace: { slug: string } }[])[0]?.workspace.slug) ?? ''
    const made = await this.call('POST', `/workspaces/${this.workspace}/agents`, { name: 'here' })
    this.agent = (made.agent as { id: string }).id
    const data = join(this.folder, 'agent')
    await this.on?.open(port, this.name)
    const agent = (...args: string[]): [string, string[]] => this.on?.command('host', AGENT, args) ?? [AGENT, args]
    run(...agent('enroll', '--controller', this.base, '--token', (made.enrolment as { token: string }).token, '--data-dir', data))
    this.programs.push(start(`agent-${this.name}`, ...agent('run', '--data-dir', data)))
  }

  async call(method: string, path: string, body?: Json): Promise<Json> {
    const answer = await fetch(`${this.base}/api/v1${path}`, {
      method,
      headers: { ...(body ? { 'content-type': 'application/json' } : {}), ...(this.cookie ? { cookie: this.cookie } : {}), ...(this.csrf ? { 'x-csrf-token': this.csrf } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const set = answer.headers.get('set-cookie')
    if (set)
      this.cookie = set.split(';')[0] ?? ''
    const text = await answer.text()
    if (!answer.ok)
      throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return text === '' ? {} : JSON.parse(text) as Json
  }

  async probe(name: string, settings: Json, kind = 'ping'): Promise<string> {
    const { items } = await this.call('POST', `/workspaces/${this.workspace}/probes`, { kind, name, agent_id: this.agent, settings })
    return (items as { id: string }[])[0]?.id ?? ''
  }

  /** A browser of its own with one page, signed in. */
  async signedIn(options: BrowserContextOptions = {}): Promise<Watched & { readonly close: () => Promise<void> }> {
    const browser = await launch()
    const watched = await open(browser, this.base, options, /401/)
    const [name = '', value = ''] = this.cookie.split('=')
    await watched.context.addCookies([{ name, value, url: this.base }])
    return { ...watched, close: () => browser.close() }
  }

  async down(): Promise<void> {
    for (const program of this.programs.reverse())
      await program.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
