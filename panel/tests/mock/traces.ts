// Traces that run: a cycle with every tick, then done.
import type { Trace, TraceSettings } from '../../src/features/trace/types'
import type { components } from '../../src/api/schema'
import type { Answer, Request } from './server.ts'
import { makePath } from './paths.ts'

type S = components['schemas']
const SETTINGS: TraceSettings = { protocol: 'icmp', port: 0, flows: 'mda', cycles: 10, period_ms: 500, max_hops: 30, size: 64, dscp: 0, interface: '', family: 'auto' }

export class MockTraces {
  items: Trace[] = []
  private nextId = 1

  constructor(private readonly now: () => number) {}

  start(body: Record<string, unknown>, agent: S['Agent']): Trace {
    const target = String(body.target)
    const settings = Object.fromEntries(Object.entries(body).filter(([name]) => name in SETTINGS)) as Partial<TraceSettings>
    const trace: Trace = {
      id: `tr${this.nextId++}`, agent: { id: agent.id, name: agent.name, connected: agent.status === 'online' }, target, settings: { ...SETTINGS, ...settings }, state: 'waiting', reason: '', created_us: this.now(), started_us: null, ended_us: null,
      expires_us: this.now() + 30e6, created_by: 'Ana Moreno', cycles_done: 0, cycles: settings.cycles ?? SETTINGS.cycles, path: null,
    }
    this.items.unshift(trace)
    return trace
  }

  /** Those that have gone on. */
  step(): Trace[] {
    return this.items.flatMap((trace, i) => {
      if (trace.state !== 'waiting' && trace.state !== 'running')
        return []
      const done = Math.min(trace.cycles, trace.cycles_done + 2)
      const whole = makePath({ agent: { id: trace.agent.id, name: trace.agent.name, status: 'online' }, target: { id: 't', address: trace.target, name: '' } }, this.now(), 60, 0)
      const hops = done >= trace.cycles ? whole.hops : whole.hops.filter(hop => hop.ttl <= 4 + done)
      const ids = new Set(hops.map(hop => hop.id))
      const next: Trace = {
        ...trace, state: done >= trace.cycles ? 'done' : 'running', started_us: trace.started_us ?? this.now(), ended_us: done >= trace.cycles ? this.now() : null, cycles_done: done,
        path: { ...whole, runs: 1, hops, links: whole.links.filter(link => ids.has(link.to)), reached: done >= trace.cycles ? true : null, paths: whole.paths.map(path => ({ ...path, hops: path.hops.filter(id => ids.has(id)) })) },
      }
      this.items[i] = next
      return [next]
    })
  }

  answer(request: Request, id: string | undefined, agents: readonly S['Agent'][]): Answer {
    const problem = (status: number, title: string, field = ''): Answer => ({ status, body: { type: 'about:blank', title, status, request_id: 'mock-7f3a', ...(field ? { errors: [{ field, message: 'Is not allowed here' }] } : {}) } })
    if (id === undefined && request.method === 'GET')
      return { status: 200, body: { items: this.items.filter(trace => !request.query.has('agent') || trace.agent.id === request.query.get('agent')).map(trace => ({ ...trace, path: null })), next_cursor: null } }
    if (id === undefined) {
      const agent = agents.find(entry => entry.id === request.body.agent)
      return agent && request.body.target !== 'refused.example' ? { status: 201, body: this.start(request.body, agent) } : problem(422, 'Not valid', agent ? 'target' : 'agent')
    }
    const trace = this.items.find(entry => entry.id === id)
    if (!trace)
      return problem(404, 'Not found')
    return request.method === 'DELETE' ? (this.cancel(id), { status: 204 }) : { status: 200, body: trace }
  }

  cancel(id: string): boolean {
    const i = this.items.findIndex(trace => trace.id === id)
    const trace = this.items[i]
    if (trace)
      this.items[i] = { ...trace, state: 'cancelled', ended_us: this.now() }
    return trace !== undefined
  }
}
