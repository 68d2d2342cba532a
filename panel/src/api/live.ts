// One WebSocket for all live subscriptions of the page. It reconnects with jittered back-off and goes on from the last
// cursor of each subscription, so nothing falls between; when the server no longer has that part it says `reset` and
// the subscriber reads again by REST. Sockets, timers and chance are handed in.
import type { components } from './schema'

type Schemas = components['schemas']
export type LiveEvent = Schemas['LiveEvent']
export type LiveTopic = Schemas['LiveTopic']
export type Problem = Schemas['Problem']

export interface Subscription {
  readonly workspace: string
  readonly topic: LiveTopic
  readonly probe?: string
  readonly trace?: string
}

export interface Subscriber {
  /** Following has begun: what was read before this moment may lack what happened since. */
  readonly started?: () => void
  readonly events: (events: readonly LiveEvent[]) => void
  /** Something was missed: read again by REST. */
  readonly reset: () => void
  readonly refused?: (problem: Problem) => void
}

export type LiveState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  | { readonly kind: 'waiting', readonly untilMs: number }

export interface Socket {
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
  readonly send: (text: string) => void
  readonly close: () => void
}

export interface LiveEnvironment {
  readonly open: () => Socket
  readonly now: () => number
  readonly random: () => number
  readonly later: (run: () => void, ms: number) => () => void
}

const BACKOFF_FIRST_MS = 500
const BACKOFF_MAX_MS = 15_000
const LINGER_MS = 5_000
const CLOSE_SIGNED_OUT = 4401

/** Doubles up to the maximum; half of it is chance, so that a restarted controller is not stormed. */
export function backoffMs(attempt: number, random: number): number {
  const full = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt, 20))
  return full / 2 + full / 2 * random
}

interface Entry {
  readonly spec: Subscription
  readonly subscriber: Subscriber
  cursor: string | undefined
}

export class LiveClient {
  private readonly entries = new Map<number, Entry>()
  private readonly listeners = new Set<(state: LiveState) => void>()
  private socket: Socket | null = null
  private nextId = 1
  private attempt = 0
  private cancelTimer: (() => void) | null = null
  private current: LiveState = { kind: 'idle' }
  private leaving = false

  constructor(private readonly env: LiveEnvironment, private readonly signedOut: () => void = () => {}) {}

  get state(): LiveState { return this.current }

  onState(listener: (state: LiveState) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  subscribe(spec: Subscription, subscriber: Subscriber): () => void {
    const id = this.nextId++
    this.entries.set(id, { spec, subscriber, cursor: undefined })
    if (this.current.kind === 'open')
      this.announce(id)
    else if (this.current.kind === 'idle')
      this.connect()
    return () => this.unsubscribe(id)
  }

  /** Do not wait for the back-off: the machine is online again, or somebody pressed the button. */
  retryNow(): void {
    if (this.current.kind === 'waiting')
      this.connect()
  }

  /** The session is about to be ended from here: that it has ended is no news then. Called again, it is over. */
  leave(): () => void {
    this.leaving = true
    return () => { this.leaving = false }
  }

  close(): void {
    this.entries.clear()
    this.drop()
    this.become({ kind: 'idle' })
  }

  private unsubscribe(id: number): void {
    if (!this.entries.delete(id))
      return
    if (this.current.kind === 'open')
      this.socket?.send(JSON.stringify({ type: 'unsubscribe', id }))
    // Pages come and go; the socket stays for the next one.
    if (this.entries.size === 0)
      this.after(LINGER_MS, () => { if (this.entries.size === 0) this.close() })
  }

  private connect(): void {
    this.drop()
    this.become({ kind: 'connecting' })
    const socket = this.env.open()
    this.socket = socket
    socket.onopen = () => {
      this.become({ kind: 'open' })
      for (const id of this.entries.keys())
        this.announce(id)
    }
    socket.onmessage = ({ data }) => this.receive(data)
    socket.onclose = ({ code }) => this.lost(code)
  }

  private lost(code: number): void {
    this.drop()
    if (code === CLOSE_SIGNED_OUT) {
      this.become({ kind: 'idle' })
      if (!this.leaving)
        this.signedOut()
      return
    }
    if (this.entries.size === 0) {
      this.become({ kind: 'idle' })
      return
    }
    const wait = backoffMs(this.attempt++, this.env.random())
    this.become({ kind: 'waiting', untilMs: this.env.now() + wait })
    this.after(wait, () => this.connect())
  }

  private announce(id: number): void {
    const entry = this.entries.get(id)
    if (!entry)
      return
    const after = entry.cursor === undefined ? {} : { after: entry.cursor }
    this.socket?.send(JSON.stringify({ type: 'subscribe', id, ...entry.spec, ...after }))
  }

  private receive(data: unknown): void {
    if (typeof data !== 'string')
      return
    const message = parse(data)
    if (!message)
      return
    // Only a server that answers ends the back-off: one that accepts and drops at once must not be hammered.
    this.attempt = 0
    if (message.type === 'error') {
      this.refuse(message)
      return
    }
    const entry = this.entries.get(message.id)
    if (!entry)
      return
    const first = entry.cursor === undefined
    entry.cursor = message.cursor
    if (message.type === 'subscribed' && first)
      entry.subscriber.started?.()
    if (message.type === 'event')
      entry.subscriber.events(message.events)
    else if (message.type === 'reset')
      entry.subscriber.reset()
  }

  private refuse(message: Schemas['LiveError']): void {
    if (message.id === undefined)
      return
    const entry = this.entries.get(message.id)
    this.entries.delete(message.id)
    entry?.subscriber.refused?.(message.problem)
  }

  private after(ms: number, run: () => void): void {
    this.cancelTimer?.()
    this.cancelTimer = this.env.later(run, ms)
  }

  /** Lets go of the socket so that nothing it still says is heard. */
  private drop(): void {
    this.cancelTimer?.()
    this.cancelTimer = null
    const socket = this.socket
    this.socket = null
    if (!socket)
      return
    socket.onopen = null
    socket.onmessage = null
    socket.onclose = null
    socket.close()
  }

  private become(state: LiveState): void {
    this.current = state
    for (const listener of this.listeners)
      listener(state)
  }
}

function parse(text: string): Schemas['LiveServerMessage'] | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'type' in value ? value as Schemas['LiveServerMessage'] : null
  }
  catch {
    return null
  }
}

export function browserEnvironment(): LiveEnvironment {
  return {
    open: () => new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/live`) as unknown as Socket,
    now: () => Date.now(),
    random: () => Math.random(),
    later: (run, ms) => {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    },
  }
}
