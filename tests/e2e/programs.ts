// The real controller and agent as child processes, each with its log in the artefacts, stopped at the end whatever happens.
import type { ChildProcess } from 'node:child_process'
import { execFileSync, spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { ARTEFACTS, BUILD, ROOT } from './browser.ts'

export const CONTROLLER = join(BUILD, 'apps/controller/netwatcher-controller')
export const AGENT = join(BUILD, 'apps/agent/netwatcher-agent')
export const PACK = join(ROOT, 'tools/pack_agent.py')

/** Both programs are there. Without them the journey cannot be made, and says so. */
export function built(): boolean {
  return existsSync(CONTROLLER) && existsSync(AGENT)
}

export interface Program {
  readonly process: ChildProcess
  readonly output: () => string
  /** Waits until the output matches; fails with the output when the program ends or the deadline passes. */
  readonly said: (pattern: RegExp, deadlineMs?: number) => Promise<RegExpExecArray>
  readonly stop: () => Promise<void>
}

export function start(name: string, file: string, args: readonly string[]): Program {
  mkdirSync(ARTEFACTS, { recursive: true })
  const log = createWriteStream(join(ARTEFACTS, `${name}.log`))
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  const listeners = new Set<() => void>()
  const tell = () => listeners.forEach(listener => listener())
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      log.write(chunk)
      text += chunk.toString()
      tell()
    })
  let ended = false
  child.on('exit', () => {
    ended = true
    log.end()
    tell()
  })
  const said = (pattern: RegExp, deadlineMs = 20_000) => new Promise<RegExpExecArray>((done, failed) => {
    const finish = (run: () => void) => {
      clearTimeout(timer)
      listeners.delete(look)
      run()
    }
    const look = () => {
      const match = pattern.exec(text)
      if (match)
        finish(() => done(match))
      else if (ended)
        finish(() => failed(new Error(`${name} ended: ${text.slice(-2000)}`)))
    }
    const timer = setTimeout(() => finish(() => failed(new Error(`${name} did not say ${String(pattern)}: ${text.slice(-2000)}`))), deadlineMs)
    listeners.add(look)
    look()
  })
  const stop = () => new Promise<void>((done) => {
    if (ended) {
      done()
      return
    }
    const kill = setTimeout(() => child.kill('SIGKILL'), 10_000)
    child.on('exit', () => {
      clearTimeout(kill)
      done()
    })
    child.kill('SIGTERM')
  })
  return { process: child, output: () => text, said, stop }
}

export function run(file: string, args: readonly string[]): string {
  return execFileSync(file, args, { encoding: 'utf8', timeout: 30_000 })
}

/** Below what the kernel gives away by itself, where nobody can take it between here and the program that wants it. */
const PORTS_FROM = 20_000
let port = PORTS_FROM + process.pid % 1200 * 10

export async function freePort(): Promise<number> {
  for (;;) {
    port += 1
    if (await isFree(port))
      return port
  }
}

function isFree(candidate: number): Promise<boolean> {
  return new Promise((done, failed) => {
    const server = createServer()
    server.on('error', error => 'code' in error && error.code === 'EADDRINUSE' ? done(false) : failed(error))
    server.listen(candidate, '127.0.0.1', () => server.close(() => done(true)))
  })
}

/** Polls until the answer is what it should be; a condition on another process offers no event. */
export async function until(what: string, check: () => Promise<boolean>, deadlineMs = 20_000): Promise<void> {
  const end = Date.now() + deadlineMs
  while (Date.now() < end) {
    if (await check().catch(() => false))
      return
    await new Promise(done => setTimeout(done, 50))
  }
  throw new Error(`${what}: not within ${deadlineMs} ms`)
}

/** A controller on its data at the port, ready. */
export async function serve(name: string, data: string, port: number, ...more: string[]): Promise<Program> {
  const controller = start(name, CONTROLLER, ['serve', '--data-dir', data, '--listen', `127.0.0.1:${port}`, ...more])
  try {
    await until('the controller is ready', async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok)
  }
  catch (error) {
    await controller.stop()
    throw error
  }
  return controller
}
