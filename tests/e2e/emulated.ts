// One emulated link from this host to a target in a namespace of its own: what is lost on it is known. Needs root.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BUILD } from './browser.ts'
import type { Program } from './programs.ts'
import { start } from './programs.ts'

const LINKEMU = join(BUILD, 'tests/lab/nw_linkemu')
const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 20_000 })

export function canEmulate(): boolean {
  return process.getuid?.() === 0 && existsSync(LINKEMU)
}

export class EmulatedLink {
  readonly target: string
  private readonly tag = `nwe${process.pid % 100_000}`
  private readonly folder = mkdtempSync(join(tmpdir(), 'nw-link-'))
  private readonly subnet: string
  private emulator: Program | undefined

  constructor(private keys = 'delay=5') {
    this.subnet = `10.${200 + process.pid % 50}.${process.pid % 250}`
    this.target = `${this.subnet}.2`
  }

  async up(): Promise<void> {
    const { tag, subnet } = this
    const [near, nearEnd, far, farEnd] = ['h', 'i', 'j', 'k'].map(end => tag + end) as [string, string, string, string]
    ip('netns', 'add', tag)
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', nearEnd)
    ip('link', 'add', far, 'type', 'veth', 'peer', 'name', farEnd)
    execFileSync(LINKEMU, ['--nooffload', near, nearEnd, far, farEnd], { timeout: 20_000 })
    ip('link', 'set', far, 'netns', tag)
    ip('addr', 'add', `${subnet}.1/24`, 'dev', near)
    ip('-n', tag, 'addr', 'add', `${subnet}.2/24`, 'dev', far)
    for (const end of [near, nearEnd, farEnd])
      ip('link', 'set', end, 'up')
    ip('-n', tag, 'link', 'set', far, 'up')
    ip('-n', tag, 'link', 'set', 'lo', 'up')
    const config = join(this.folder, 'links.conf')
    writeFileSync(config, `pair ${nearEnd} ${farEnd} ${this.keys} name=e2e\n`)
    this.emulator = start('linkemu', LINKEMU, [config, '--spin', '100'])
    // It says nothing when it is ready; the first answer does.
    execFileSync('ping', ['-c', '1', '-w', '10', this.target], { stdio: 'ignore', timeout: 15_000 })
  }

  /** Impairments from now on: keys of tests/lab/linkemu.cpp. */
  set(keys: string): void {
    this.keys = keys
    writeFileSync(join(this.folder, 'links.conf'), `pair ${this.tag}i ${this.tag}k ${keys} name=e2e\n`)
    this.emulator?.process.kill('SIGHUP')
  }

  async down(): Promise<void> {
    await this.emulator?.stop()
    for (const end of ['h', 'k']) {
      try {
        ip('link', 'del', this.tag + end)
      }
      catch { /* never made, or gone with its namespace */ }
    }
    try {
      ip('netns', 'del', this.tag)
    }
    catch { /* never made */ }
    rmSync(this.folder, { recursive: true, force: true })
  }
}
