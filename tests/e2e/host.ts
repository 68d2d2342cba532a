// A host of its own for an agent: a network namespace whose interfaces are nobody else's. What comes and goes in it is no
// change of this machine's network, at which Chromium drops whatever it is loading, in every test at that time. Needs root.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Program } from './programs.ts'
import { start } from './programs.ts'

const DOOR = fileURLToPath(new URL('door.mjs', import.meta.url))

export function isRoot(): boolean {
  return process.getuid?.() === 0
}

export function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 20_000 })
}

/** Namespaces by short names, all gone with `down`. The one called `host` is where the agent runs. */
export class Namespaces {
  private readonly tag = `nwe${process.pid}`
  private readonly made: string[] = []
  private door: Program | undefined

  name(short: string): string {
    return `${this.tag}${short}`
  }

  add(short: string): void {
    ip('netns', 'add', this.name(short))
    this.made.push(short)
    this.ip(short, 'link', 'set', 'lo', 'up')
  }

  /** `ip` inside of one. */
  ip(short: string, ...args: string[]): void {
    ip('-n', this.name(short), ...args)
  }

  /** Any program inside of one, as file and arguments. */
  command(short: string, file: string, args: readonly string[]): [string, string[]] {
    return ['ip', ['netns', 'exec', this.name(short), file, ...args]]
  }

  run(short: string, file: string, ...args: string[]): void {
    execFileSync(...this.command(short, file, args), { stdio: ['ignore', 'ignore', 'pipe'], timeout: 20_000 })
  }

  /** The port of this machine's loopback is on the host's loopback as well. */
  async open(port: number, name: string): Promise<void> {
    this.door = start(`door-${name}`, process.execPath, [DOOR, String(port), this.name('host')])
    await this.door.said(/open/)
  }

  async down(): Promise<void> {
    await this.door?.stop()
    // One that stays must not keep the others.
    const failed = this.made.splice(0).flatMap((short) => {
      try {
        ip('netns', 'del', this.name(short))
        return []
      }
      catch (error) {
        return [error]
      }
    })
    if (failed.length > 0)
      throw new AggregateError(failed, 'namespaces were left behind')
  }
}
