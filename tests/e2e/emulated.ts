// One emulated link from an agent's host to a target: what is lost on it is known. Needs root.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Program } from './programs.ts'
import { BUILD } from './browser.ts'
import { isRoot, Namespaces } from './host.ts'
import { start } from './programs.ts'

const LINKEMU = join(BUILD, 'tests/lab/nw_linkemu')

export function canEmulate(): boolean {
  return isRoot() && existsSync(LINKEMU)
}

export class EmulatedLink {
  readonly spaces = new Namespaces()
  readonly target = '10.99.1.2'
  private readonly folder = mkdtempSync(join(tmpdir(), 'nw-link-'))
  private readonly config = join(this.folder, 'links.conf')
  private emulator: Program | undefined

  constructor(private keys = 'delay=5') {}

  async up(): Promise<void> {
    const { spaces } = this
    spaces.add('host')
    spaces.add('far')
    spaces.ip('host', 'link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'nearend')
    spaces.ip('host', 'link', 'add', 'far', 'type', 'veth', 'peer', 'name', 'farend')
    spaces.run('host', LINKEMU, '--nooffload', 'near', 'nearend', 'far', 'farend')
    spaces.ip('host', 'link', 'set', 'far', 'netns', spaces.name('far'))
    spaces.ip('host', 'addr', 'add', '10.99.1.1/24', 'dev', 'near')
    spaces.ip('far', 'addr', 'add', `${this.target}/24`, 'dev', 'far')
    for (const end of ['near', 'nearend', 'farend'])
      spaces.ip('host', 'link', 'set', end, 'up')
    spaces.ip('far', 'link', 'set', 'far', 'up')
    this.configure()
    this.emulator = start('linkemu', ...spaces.command('host', LINKEMU, [this.config, '--spin', '100']))
    // It says nothing when it is ready; the first answer does.
    spaces.run('host', 'ping', '-c', '1', '-w', '10', this.target)
  }

  /** Impairments from now on: keys of tests/lab/linkemu.cpp. */
  set(keys: string): void {
    this.keys = keys
    this.configure()
    this.emulator?.process.kill('SIGHUP')
  }

  async down(): Promise<void> {
    await this.emulator?.stop()
    await this.spaces.down()
    rmSync(this.folder, { recursive: true, force: true })
  }

  private configure(): void {
    writeFileSync(this.config, `pair nearend farend ${this.keys} name=e2e\n`)
  }
}
