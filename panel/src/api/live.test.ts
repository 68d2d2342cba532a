import type { LiveEnvironment, LiveEvent, LiveState, Socket } from './live'
import { describe, expect, it } from 'vitest'
import { backoffMs, LiveClient } from './live'

class FakeSocket implements Socket {
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  readonly sent: Record<string, unknown>[] = []
  closed = false
  send = (text: string) => { this.sent.push(JSON.parse(text) as Record<string, unknown>) }
  close = () => { this.closed = true }
  say(message: object) { this.onmessage?.({ data: JSON.stringify(message) }) }
}

/** A world with one clock: timers run when the test says so. */
function world(random = 0) {
  const sockets: FakeSocket[] = []
  const timers: { run: () => void, at: number }[] = []
  let now = 0
  const env: LiveEnvironment = {
    now: () => now,
    random: () => random,
    open: () => {
      const socket = new FakeSocket()
      sockets.push(socket)
      return socket
    },
    later: (run, ms) => {
      const timer = { run, at: now + ms }
      timers.push(timer)
      return () => { timers.splice(timers.indexOf(timer), 1) }
    },
  }
  const advance = (ms: number) => {
    now += ms
    for (const timer of timers.filter(entry => entry.at <= now)) {
      timers.splice(timers.indexOf(timer), 1)
      timer.run()
    }
  }
  return { env, sockets, timers, advance, last: () => sockets.at(-1) as FakeSocket }
}

function recorder() {
  const seen: (LiveEvent | 'reset')[] = []
  return { seen, events: (events: readonly LiveEvent[]) => { seen.push(...events) }, reset: () => { seen.push('reset') } }
}
const gone = (probe: string): LiveEvent => ({ type: 'probe_gone', probe })
const PROBES = { workspace: 'default', topic: 'probes' } as const

function opened() {
  const w = world()
  const live = new LiveClient(w.env)
  const log = recorder()
  const stop = live.subscribe(PROBES, log)
  w.last().onopen?.()
  return { ...w, live, log, stop }
}

describe('backoff', () => {
  it('grows up to its maximum and is half chance', () => {
    expect(backoffMs(0, 0)).toBe(250)
    expect(backoffMs(0, 1)).toBe(500)
    expect(backoffMs(3, 0)).toBe(2000)
    expect(backoffMs(60, 1)).toBe(15_000)
  })
})

describe('subscriptions', () => {
  it('opens no connection before somebody wants one', () => {
    const w = world()
    expect(new LiveClient(w.env).state).toEqual({ kind: 'idle' })
    expect(w.sockets).toHaveLength(0)
  })
  it('asks, delivers events, and moves its cursor', () => {
    const { log, last } = opened()
    expect(last().sent).toEqual([{ type: 'subscribe', id: 1, ...PROBES }])
    last().say({ type: 'subscribed', id: 1, cursor: 'c1' })
    last().say({ type: 'event', id: 1, cursor: 'c2', events: [gone('p1'), gone('p2')] })
    expect(log.seen).toEqual([gone('p1'), gone('p2')])
  })
  it('uses one socket for all', () => {
    const { live, sockets, last } = opened()
    live.subscribe({ workspace: 'default', topic: 'probe', probe: 'p9' }, recorder())
    expect(sockets).toHaveLength(1)
    expect(last().sent[1]).toEqual({ type: 'subscribe', id: 2, workspace: 'default', topic: 'probe', probe: 'p9' })
  })
  it('hears nothing after it ended', () => {
    const { log, stop, last } = opened()
    stop()
    last().say({ type: 'event', id: 1, cursor: 'c2', events: [gone('p1')] })
    expect(log.seen).toEqual([])
    expect(last().sent.at(-1)).toEqual({ type: 'unsubscribe', id: 1 })
  })
  it('lets go of the socket some time after the last one ended, not at once', () => {
    const { live, stop, last, advance } = opened()
    stop()
    expect(last().closed).toBe(false)
    advance(6000)
    expect(last().closed).toBe(true)
    expect(live.state).toEqual({ kind: 'idle' })
  })
  it('tells the subscriber that is refused and forgets it', () => {
    const w = world()
    const live = new LiveClient(w.env)
    const refused: number[] = []
    live.subscribe(PROBES, { ...recorder(), refused: problem => refused.push(problem.status) })
    w.last().onopen?.()
    w.last().say({ type: 'error', id: 1, problem: { type: 'about:blank', title: 'no', status: 403, request_id: 'r' } })
    expect(refused).toEqual([403])
    w.last().onclose?.({ code: 1006 })
    expect(live.state.kind).toBe('idle')
  })
  it('survives what is no message', () => {
    const { last, log } = opened()
    last().onmessage?.({ data: 'not json' })
    last().onmessage?.({ data: new ArrayBuffer(4) })
    last().onmessage?.({ data: '42' })
    last().say({ type: 'event', id: 99, cursor: 'c', events: [gone('x')] })
    expect(log.seen).toEqual([])
  })
})

describe('beginning to follow', () => {
  it('is told once, so that what was read before can be read again; going on after a break is not a beginning', () => {
    const w = world()
    const live = new LiveClient(w.env)
    let started = 0
    live.subscribe(PROBES, { ...recorder(), started: () => { started += 1 } })
    w.last().onopen?.()
    w.last().say({ type: 'subscribed', id: 1, cursor: 'c1' })
    w.last().onclose?.({ code: 1006 })
    w.advance(250)
    w.last().onopen?.()
    w.last().say({ type: 'subscribed', id: 1, cursor: 'c1' })
    expect(started).toBe(1)
  })
})

describe('reconnecting', () => {
  it('goes on from the last cursor, so that nothing falls between', () => {
    const { last, advance, log } = opened()
    last().say({ type: 'event', id: 1, cursor: 'c7', events: [] })
    last().onclose?.({ code: 1006 })
    advance(250)
    last().onopen?.()
    expect(last().sent).toEqual([{ type: 'subscribe', id: 1, ...PROBES, after: 'c7' }])
    last().say({ type: 'event', id: 1, cursor: 'c9', events: [gone('missed')] })
    expect(log.seen).toEqual([gone('missed')])
  })
  it('hands on the server\'s word that something was missed', () => {
    const { last, log } = opened()
    last().say({ type: 'reset', id: 1, cursor: 'c3' })
    expect(log.seen).toEqual(['reset'])
  })
  it('waits longer each time, says until when, and starts over after a server that answers', () => {
    const { live, last, advance, sockets } = opened()
    const waits: number[] = []
    for (let i = 0; i < 4; i += 1) {
      last().onclose?.({ code: 1006 })
      const { state } = live
      waits.push(state.kind === 'waiting' ? state.untilMs : -1)
      advance(20_000)
    }
    expect(sockets).toHaveLength(5)
    expect(waits[3]).toBe(60_000 + 2000)
    last().onopen?.()
    last().say({ type: 'subscribed', id: 1, cursor: 'c' })
    last().onclose?.({ code: 1006 })
    expect(live.state).toEqual({ kind: 'waiting', untilMs: 80_000 + 250 })
  })
  it('does not take an accepted connection alone for an answer', () => {
    const { live, last, advance } = opened()
    for (let i = 0; i < 3; i += 1) {
      last().onopen?.()
      last().onclose?.({ code: 1006 })
      advance(20_000)
    }
    last().onclose?.({ code: 1006 })
    expect(live.state).toEqual({ kind: 'waiting', untilMs: 60_000 + 2000 })
  })
  it('tries at once when told to', () => {
    const { live, last, sockets, timers } = opened()
    last().onclose?.({ code: 1006 })
    live.retryNow()
    expect(sockets).toHaveLength(2)
    expect(timers).toHaveLength(0)
  })
  it('hears nothing from a socket that it has let go of', () => {
    const { sockets, last, advance, log } = opened()
    const old = sockets[0]
    last().onclose?.({ code: 1006 })
    advance(250)
    old?.say({ type: 'event', id: 1, cursor: 'c', events: [gone('stale')] })
    expect(log.seen).toEqual([])
    expect(old?.closed).toBe(true)
  })
  it('does not come back by itself once the session has ended', () => {
    const w = world()
    let out = 0
    const live = new LiveClient(w.env, () => { out += 1 })
    live.subscribe(PROBES, recorder())
    w.last().onclose?.({ code: 4401 })
    w.advance(60_000)
    expect([out, w.sockets.length]).toEqual([1, 1])
  })
  it('takes it for no news that a session has ended which is being ended from here', () => {
    const w = world()
    let out = 0
    const live = new LiveClient(w.env, () => { out += 1 })
    live.subscribe(PROBES, recorder())
    const stay = live.leave()
    w.last().onclose?.({ code: 4401 })
    expect(out).toBe(0)
    live.close()
    stay()
    live.subscribe(PROBES, recorder())
    w.last().onclose?.({ code: 4401 })
    expect(out).toBe(1)
  })
  it('tells everybody who listens how it stands', () => {
    const w = world()
    const live = new LiveClient(w.env)
    const states: LiveState['kind'][] = []
    const stop = live.onState(state => states.push(state.kind))
    live.subscribe(PROBES, recorder())
    w.last().onopen?.()
    w.last().onclose?.({ code: 1006 })
    stop()
    w.advance(1000)
    expect(states).toEqual(['connecting', 'open', 'waiting'])
  })
})
