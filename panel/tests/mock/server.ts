// A controller for the panel's own tests: in memory, forgetful, never shipped; it answers every route that they use.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { components } from '../../src/api/schema'
import { KINDS, makeAgent, makeHistogram, makeProbe, makeSamples, makeSeries, noise } from './data.ts'
import type { Topology } from '../../src/map/types'
import { makeSmallTopology, makeTopologySeries, makeTopologyTimeline } from './topology.ts'
import type { Interfaces } from '../../src/features/agents/interfaces/types'
import type { Path } from '../../src/features/path/types'
import { makeInterfaceChanges, makeInterfaces, makeUplinks } from './interfaces.ts'
import { makeChanges, makeDiff, makePath, makeRouteChanges, PATH } from './paths.ts'
import { MockTraces } from './traces.ts'

type S = components['schemas']
type Send = (message: S['LiveServerMessage']) => void
export interface Answer { status: number, body?: unknown, etag?: string, text?: string }
export interface Request { method: string, path: string[], query: URLSearchParams, body: Record<string, unknown> }

const PERMISSIONS: S['Permission'][] = ['workspace.read', 'workspace.write', 'workspace.delete', 'members.read', 'members.write', 'agents.read', 'agents.write', 'agents.delete', 'probes.read', 'probes.write', 'probes.delete', 'probes.trace' as S['Permission'], 'audit.read']
const ROLE_DROPS: Record<S['Role'], S['Permission'][]> = {
  owner: [], admin: ['workspace.delete'], operator: ['workspace.delete', 'workspace.write', 'members.write', 'agents.delete', 'probes.delete', 'audit.read'],
  viewer: ['workspace.delete', 'workspace.write', 'members.write', 'agents.write', 'agents.delete', 'probes.write', 'probes.delete', 'probes.trace' as S['Permission'], 'audit.read'],
}
const permissionsOf = (role: S['Role']) => PERMISSIONS.filter(permission => !ROLE_DROPS[role].includes(permission))

const ok = (body: unknown, etag?: string): Answer => ({ status: 200, body, ...(etag ? { etag } : {}) })
const problem = (status: number, title: string, errors?: S['FieldError'][]): Answer => ({ status, body: { type: 'about:blank', title, status, request_id: 'mock-7f3a', ...(errors ? { errors } : {}) } })
const steps = (good: number, fair: number, poor: number, critical: number) => ({ good, fair, poor, critical })

export class MockController {
  needed = false
  /** Instead of the usual one. */
  shownPath: Path | null = null
  shownInterfaces: Interfaces | null = null
  readonly traces = new MockTraces(() => this.now())
  signedIn = true
  role: S['Role'] = 'owner'
  agents: S['Agent'][] = []
  probes: S['Probe'][] = []
  audit: S['AuditEntry'][] = []
  preferences: S['Preferences'] = {}
  problems: S['Instance']['problems'] = []
  /** Requests that this pattern matches fail; with 500 the panel tries again first. */
  failing: RegExp | null = null
  failingStatus = 500
  annotations: S['Annotation'][] = []
  /** The network at a moment, or now. */
  topology: (atUs: number | null) => Topology = atUs => makeSmallTopology(atUs ?? this.now(), atUs !== null && atUs < this.now() - 6 * 36e8)
  private readonly deleted = new Map<string, S['Probe']>()
  private readonly deletedNotes = new Map<string, S['Annotation']>()
  /** Requests that this pattern matches are never answered. */
  stalled: RegExp | null = null
  private readonly deletedAgents = new Map<string, S['Agent']>()
  private readonly subscribers = new Set<{ send: Send, id: number, topic: S['LiveTopic'], probe: string | undefined }>()
  private cursor = 1
  private nextId = 100

  constructor(readonly now: () => number = () => Date.now() * 1000) {}

  seed(agents = 6, targets = ['svc-3a.example', 'dns.example', '198.51.100.7']): this {
    const names = ['vancouver-1', 'london-1', 'singapore-1', 'sao-paulo-2', 'tokyo-1', 'lagos-2', 'madrid-1', 'seattle-2']
    this.agents = Array.from({ length: agents }, (_, i) => makeAgent(`a${i + 1}`, names[i] ?? `agent-${i + 1}`, {
      site: ['Vancouver', 'London', 'Singapore', 'São Paulo', 'Tokyo', 'Lagos'][i % 6] ?? '', labels: i % 2 ? ['core', 'isp-b'] : ['edge'], status: i === 5 ? 'offline' : 'online', probe_count: targets.length,
    }, this.now()))
    this.probes = this.agents.flatMap((agent, i) => targets.map((target, k) => {
      const loss = noise(i, k) > 0.85 ? 0.15 : noise(i, k) > 0.7 ? 0.05 : 0
      return makeProbe(`p${i * 10 + k + 1}`, agent, target, loss === 0 ? {} : { latest: { at_us: this.now() - 12e6, outcome: 'ok', reason: '', grade: loss > 0.1 ? 'poor' : 'fair', grade_reason: `loss ${loss * 100} of 100, fair at 1 %`, metrics: { rtt_p50: 41_000, rtt_p95: 62_000, loss_ratio: loss, jitter: 900, sent: 20, received: 20 - loss * 20 } } }, this.now())
    }))
    this.annotations = [{ id: 'n1', probe: 'p1', at_us: this.now() - 5 * 36e8, until_us: this.now() - 4.5 * 36e8, text: 'Works on the line, ticket 4711', author: 'Lee', created_us: this.now() - 4 * 36e8, updated_us: this.now() - 4 * 36e8 }]
    this.audit = [['probe.create', 'probe'], ['agent.update', 'agent'], ['session.sign_in', 'session'], ['access.denied', 'probe']].map(([action = '', type = ''], i) => ({
      id: `e${i}`, at_us: this.now() - i * 36e8, actor: this.me().user, action, subject_type: type, subject: 'p1', subject_name: type === 'session' ? '' : 'vancouver-1 → svc-3a.example', outcome: action === 'access.denied' ? 'denied' as const : 'done' as const, address: '192.0.2.4', detail: action === 'agent.update' ? { site: ['', 'Vancouver'] } : {},
    }))
    return this
  }

  /** One probe more, of a kind that has paths. */
  withPath(): this {
    const [first] = this.agents
    if (first)
      this.probes.push(makeProbe('p901', first, 'svc-3a.example', { kind: 'path', name: `${first.name} → svc-3a.example, path`, settings: { target: 'svc-3a.example', interval: 60_000, protocol: 'icmp', family: 'auto', dont_fragment: false, interface: '' } }, this.now()))
    return this
  }

  me(): S['Me'] {
    return {
      user: { id: 'u1', email: 'ana@example.org', name: 'Ana Moreno' }, csrf_token: 'mock-csrf', is_site_admin: this.role === 'owner', preferences: this.preferences,
      memberships: [{ workspace: { id: 'w1', slug: 'default', name: 'Default' }, role: this.role, permissions: permissionsOf(this.role) }],
    }
  }

  publish(topic: S['LiveTopic'], events: S['LiveEvent'][], probe?: string): void {
    this.cursor += 1
    for (const entry of this.subscribers)
      if (entry.topic === topic && (probe === undefined || entry.probe === probe))
        entry.send({ type: 'event', id: entry.id, cursor: String(this.cursor), events })
  }

  /** A new run of every enabled probe, as an agent would send it. */
  tick(): void {
    for (const probe of this.probes) {
      probe.latest = probe.latest && { ...probe.latest, at_us: this.now() }
      this.publish('probe', [{ type: 'samples', probe: probe.id, kind: probe.kind, rows: { at_us: [this.now()], outcome: ['ok'], reason: [''], address: ['192.0.2.1'], clock: ['kernel'], columns: {} } }], probe.id)
    }
    for (const trace of this.traces.step())
      this.publish('trace' as S['LiveTopic'], [{ type: 'trace', trace } as never])
    this.publish('probes', this.probes.map(probe => ({ type: 'probe', probe })))
  }

  /** A connected panel; the returned function takes its messages. */
  connect(send: Send): { receive: (text: string) => void, close: () => void } {
    const mine: { send: Send, id: number, topic: S['LiveTopic'], probe: string | undefined }[] = []
    return {
      receive: (text) => {
        const message = JSON.parse(text) as S['LiveClientMessage']
        if (message.type === 'unsubscribe')
          return
        const entry = { send, id: message.id, topic: message.topic, probe: message.probe }
        mine.push(entry)
        this.subscribers.add(entry)
        send({ type: 'subscribed', id: message.id, cursor: String(this.cursor) })
      },
      close: () => mine.forEach(entry => this.subscribers.delete(entry)),
    }
  }

  answer(request: Request): Answer {
    if (this.failing?.test(`/${request.path.join('/')}`))
      return problem(this.failingStatus, 'Something broke')
    const [area = '', workspace, ...rest] = request.path
    if (area === 'setup')
      return request.method === 'GET' ? ok({ needed: this.needed }) : this.signIn(201)
    if (area === 'session' && request.method === 'POST')
      return request.body.password === 'wrong' ? problem(401, 'Not signed in') : this.signIn(200)
    if (area === 'invites')
      return request.method === 'GET' ? ok({ email: 'lee@example.org', role: 'operator', workspace: 'Default', invited_by: 'Ana Moreno', expires_us: this.now() + 864e8, has_account: false }) : this.signIn(200)
    if (!this.signedIn)
      return problem(401, 'Not signed in')
    if (area === 'session') {
      this.signedIn = request.method !== 'DELETE'
      return this.signedIn ? ok(this.me()) : { status: 204 }
    }
    if (area === 'workspaces' && workspace !== undefined && workspace !== 'default')
      return problem(404, 'Not found')
    return area === 'workspaces' && workspace !== undefined ? this.inWorkspace(request, rest) : this.instance(request, area)
  }

  private signIn(status: number): Answer {
    this.signedIn = true
    this.needed = false
    return { status, body: this.me() }
  }

  private instance(request: Request, area: string): Answer {
    switch (area) {
      case 'kinds': return ok({ items: [...KINDS, PATH] })
      case 'downloads': return ok({ script_url: 'https://nw.example/install.sh', script_sha256: 'c0ffee'.repeat(10), items: [{ name: 'netwatcher-agent_0.1.0_linux_amd64.tar.gz', version: '0.1.0', system: 'linux', arch: 'amd64', bytes: 1_240_000, sha256: 'ab'.repeat(32), url: 'https://nw.example/download/netwatcher-agent_0.1.0_linux_amd64.tar.gz' }] })
      case 'instance': return request.path[1] === 'audit' ? ok({ items: this.audit, next_cursor: null }) : ok({ name: 'NetWatcher', public_url: 'https://nw.example', version: '0.1.0', started_us: this.now() - 9e9, now_us: this.now(), features: ['builtin_agent'], problems: this.problems, ...request.body })
      case 'sessions': return request.method === 'DELETE' ? { status: 204 } : ok({ items: [{ id: 's1', current: true, created_us: this.now() - 9e9, last_used_us: this.now(), address: '192.0.2.4', user_agent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' }, { id: 's2', current: false, created_us: this.now() - 9e10, last_used_us: this.now() - 8e9, address: '192.0.2.9', user_agent: 'curl/8' }] })
      case 'account':
        this.preferences = { ...this.preferences, ...(request.body.preferences as object | undefined) }
        return request.method === 'POST' ? (request.body.current === 'wrong' ? problem(422, 'Not valid', [{ field: 'current', message: 'Is wrong' }]) : { status: 204 }) : ok(this.me())
      case 'workspaces': return ok({ items: [{ id: 'w1', slug: 'default', name: 'Default', role: this.role, agents: this.agentCounts(), grades: this.grades() }] })
      default: return problem(404, 'Not found')
    }
  }

  private inWorkspace(request: Request, rest: string[]): Answer {
    const [area = '', id, part] = rest
    switch (area) {
      case '': return ok(this.workspace(), '"w-1"')
      case 'agents': return id === undefined ? this.listOrCreateAgent(request) : part === 'interfaces' ? ok(rest[3] === 'history' ? makeInterfaceChanges(this.now()) : this.shownInterfaces ?? makeInterfaces(this.now())) : this.oneAgent(request, id, part)
      case 'probes': return id === undefined ? this.listOrCreateProbe(request) : part === 'path' ? this.path(request, id, rest[3]) : this.oneProbe(request, id, part)
      case 'traces': return this.traces.answer(request, id, this.agents)
      case 'uplinks': return ok(makeUplinks(this.probes, this.now()))
      case 'annotations': return this.annotation(request, id, part)
      case 'topology': return this.network(request.query, id)
      case 'overview': return ok(this.overview(request.query))
      case 'targets': return ok({ items: [...new Set(this.probes.map(probe => probe.target?.address ?? ''))].map(address => ({ id: `t-${address}`, address, name: '', labels: [], probe_count: 1 })), next_cursor: null })
      case 'members': return id === undefined ? ok({ items: [{ user: this.me().user, role: this.role, joined_us: this.now() - 9e10, last_seen_us: this.now() }, { user: { id: 'u2', email: 'lee@example.org', name: 'Lee' }, role: 'viewer', joined_us: this.now() - 9e10, last_seen_us: null }] }) : { status: 204 }
      case 'invites': return request.method === 'POST' ? { status: 201, body: { invite: this.invite(request), url: 'https://nw.example/invite/0123456789abcdef' } } : request.method === 'DELETE' ? { status: 204 } : ok({ items: [this.invite(request)] })
      case 'roles': return ok({ permissions: PERMISSIONS.map(name => ({ name, label: name })), roles: (['owner', 'admin', 'operator', 'viewer'] as const).map(name => ({ name, label: name, permissions: permissionsOf(name) })) })
      case 'audit': return ok({ items: this.audit, next_cursor: null })
      default: return problem(404, 'Not found')
    }
  }

  private network(query: URLSearchParams, part: string | undefined): Answer {
    if (part === 'timeline')
      return ok(makeTopologyTimeline(Number(query.get('from')), Number(query.get('to')), Number(query.get('buckets'))))
    if (part === 'series')
      return ok(makeTopologySeries(query.get('of') ?? '', Number(query.get('from')), Number(query.get('to'))))
    const at = query.get('at')
    // Without path probes there is no network.
    return ok(this.probes.length === 0 ? { ...this.topology(null), nodes: [], edges: [], paths: [] } : { ...this.topology(at === null ? null : Number(at)), live: at === null })
  }

  private invite(request: Request): S['Invite'] {
    return { id: 'i1', email: String(request.body.email ?? 'kim@example.org'), role: 'operator', invited_by: 'Ana Moreno', created_us: this.now(), expires_us: this.now() + 6e11 }
  }

  private workspace(): S['Workspace'] {
    return { id: 'w1', slug: 'default', name: 'Default', created_us: this.now() - 9e11, settings: { time_zone: 'UTC', retention: { raw_days: 30, five_minute_days: 400, hour_days: 1825 }, thresholds: { loss_ratio: steps(0.001, 0.01, 0.05, 0.1), latency_us: steps(50_000, 100_000, 200_000, 400_000), jitter_us: steps(5000, 15_000, 30_000, 60_000) } } }
  }

  private listOrCreateAgent(request: Request): Answer {
    if (request.method === 'GET')
      return ok({ items: this.agents, next_cursor: null, counts: this.agentCounts() })
    if (String(request.body.name) === 'taken')
      return problem(422, 'Not valid', [{ field: 'name', message: 'Is taken' }])
    const agent = makeAgent(`a${this.nextId++}`, String(request.body.name), { status: 'pending', last_seen_us: null, health: null, hostname: '', version: '' }, this.now())
    this.agents.push(agent)
    return { status: 201, body: { agent, enrolment: this.enrolment() } }
  }

  private enrolment(): S['Enrolment'] {
    return { token: 'nwe_2f9c', expires_us: this.now() + 18e8, command: 'curl -fsSL https://nw.example/install.sh | sudo sh -s -- --token nwe_2f9c', enrol_command: 'sudo netwatcher-agent enroll --controller https://nw.example --token nwe_2f9c && sudo systemctl restart netwatcher-agent' }
  }

  private oneAgent(request: Request, id: string, part: string | undefined): Answer {
    if (id === 'builtin') {
      const made = makeAgent(`a${this.nextId++}`, String(request.body.name), { builtin: true, address: '127.0.0.1' }, this.now())
      this.agents.push(made)
      return { status: 201, body: made }
    }
    const back = part === 'restore' ? this.deletedAgents.get(id) : undefined
    if (back) {
      this.deletedAgents.delete(id)
      this.agents.push(back)
      return ok(back)
    }
    const index = this.agents.findIndex(agent => agent.id === id)
    const agent = this.agents[index]
    if (!agent)
      return problem(404, 'Not found')
    if (part === 'connections')
      return ok({ items: [{ from_us: this.now() - 36e8, until_us: null, address: '192.0.2.10', version: '0.1.0', close_reason: '' }, { from_us: this.now() - 9e9, until_us: this.now() - 37e8, address: '192.0.2.10', version: '0.1.0', close_reason: 'connection reset' }], next_cursor: null })
    if (part === 'revoke')
      return ok(Object.assign(agent, { status: 'pending' as const }))
    if (part === 'enrolment')
      return { status: 201, body: this.enrolment() }
    if (request.method === 'DELETE') {
      this.deletedAgents.set(id, agent)
      this.agents.splice(index, 1)
      return { status: 204 }
    }
    if (request.method === 'PATCH')
      Object.assign(agent, request.body)
    return ok(agent, '"a-1"')
  }

  private listOrCreateProbe(request: Request): Answer {
    if (request.method === 'GET')
      return ok({ items: this.probes, next_cursor: null, counts: this.grades() })
    const settings = request.body.settings as S['SettingValues']
    if (settings.target === 'refused.example')
      return problem(422, 'Not valid', [{ field: 'settings.target', message: 'Is not allowed here' }])
    const made = (request.body.agent_ids as string[]).flatMap((id) => {
      const agent = this.agents.find(entry => entry.id === id)
      return agent ? [makeProbe(`p${this.nextId++}`, agent, String(settings.target), { settings, latest: null, kind: String(request.body.kind) }, this.now())] : []
    })
    this.probes.push(...made)
    return { status: 201, body: { items: made } }
  }

  private oneProbe(request: Request, id: string, part: string | undefined): Answer {
    const back = part === 'restore' ? this.deleted.get(id) : undefined
    if (back) {
      this.deleted.delete(id)
      this.probes.push(back)
      return ok(back)
    }
    const index = this.probes.findIndex(probe => probe.id === id)
    const probe = this.probes[index]
    if (!probe)
      return problem(404, 'Not found')
    const [from, to] = [Number(request.query.get('from')), Number(request.query.get('to'))]
    if (part === 'series')
      return ok(makeSeries(probe, from, to, this.now(), request.query.has('step_us') ? { stepUs: Number(request.query.get('step_us')) } : { width: Number(request.query.get('width') ?? 1000) }))
    if (part === 'histogram')
      return ok(makeHistogram(from, to))
    if (part === 'samples')
      return ok(makeSamples(probe, from, to, this.now(), request.query.get('values') === 'true'))
    if (part === 'events')
      return ok(this.events(probe, from, to))
    if (request.method === 'DELETE') {
      this.deleted.set(id, probe)
      this.probes.splice(index, 1)
      return { status: 204 }
    }
    if (request.method === 'PATCH') {
      const { settings, ...plain } = request.body
      Object.assign(probe, plain, { settings: { ...probe.settings, ...(settings as object | undefined) }, revision: probe.revision + 1 })
    }
    return ok(probe, `"${probe.revision}"`)
  }

  /** The last change of the route was nine hours ago. */
  private path(request: Request, id: string, part: string | undefined): Answer {
    const probe = this.probes.find(entry => entry.id === id)
    if (!probe)
      return problem(404, 'Not found')
    if (probe.kind !== 'path')
      return problem(409, 'The probe\'s kind has no paths')
    const at = (name: string) => makePath(probe, Number(request.query.get(name) ?? this.now()), Number(request.query.get('window') ?? 600), this.now() - 9 * 36e8)
    return part === 'changes' ? ok(makeChanges(this.now())) : part === 'diff' ? ok(makeDiff(at('before'), at('after'))) : ok(this.shownPath ?? at('at'))
  }

  private annotation(request: Request, id: string | undefined, part: string | undefined): Answer {
    const { text, at_us, until_us, probe } = request.body as Partial<S['AnnotationCreate']>
    if (id === undefined) {
      if (request.method === 'GET')
        return ok({ items: this.annotations })
      if (text === 'refused')
        return problem(422, 'Not valid', [{ field: 'text', message: 'Is not allowed here' }])
      const made = { id: `n${this.nextId++}`, probe: probe ?? null, at_us: at_us ?? 0, until_us: until_us ?? null, text: text ?? '', author: this.me().user.name, created_us: this.now(), updated_us: this.now() }
      this.annotations.push(made)
      return { status: 201, body: made }
    }
    const back = part === 'restore' ? this.deletedNotes.get(id) : undefined
    if (back) {
      this.deletedNotes.delete(id)
      this.annotations.push(back)
      return ok(back)
    }
    const note = this.annotations.find(entry => entry.id === id)
    if (!note)
      return problem(404, 'Not found')
    if (request.method === 'DELETE') {
      this.deletedNotes.set(id, note)
      this.annotations = this.annotations.filter(entry => entry !== note)
      return { status: 204 }
    }
    return ok(Object.assign(note, request.body, { updated_us: this.now() }))
  }

  private events(probe: S['Probe'], from: number, to: number): S['ProbeEvents'] {
    const event = (kind: S['ProbeEventKind'], hoursAgo: number, part: Partial<S['ProbeEvent']> = {}): S['ProbeEvent'] => ({ at_us: this.now() - hoursAgo * 36e8, until_us: null, kind, text: '', actor: '', detail: {}, annotation: null, ...part })
    const items = [
      event('probe_created', 400, { actor: 'Ana Moreno' }), event('agent_disconnected', 15, { text: 'connection reset' }), event('agent_restarted', 14.9, { text: '0.1.0' }),
      ...(probe.kind === 'path' ? [event('route_change', 9, { text: '2 hops added, 2 removed', detail: { added: ['198.51.100.1', '198.51.100.21'], removed: ['198.51.100.129', '198.51.100.133'] } })] : []),
      event('probe_changed', 9, { actor: 'Ana Moreno', detail: { 'settings.packets': [10, 20], 'settings.interval': [30_000, 60_000] } }),
      ...this.annotations.filter(note => note.probe === null || note.probe === probe.id).map(note => event('annotation', 0, { at_us: note.at_us, until_us: note.until_us, text: note.text, actor: note.author, annotation: note })),
    ]
    return { items: items.filter(entry => entry.at_us < to && (entry.until_us ?? entry.at_us) >= from).sort((a, b) => a.at_us - b.at_us), truncated: false }
  }

  private agentCounts(): S['AgentCounts'] {
    const of = (status: S['AgentStatus']) => this.agents.filter(agent => agent.status === status).length
    return { pending: of('pending'), online: of('online'), stale: of('stale'), offline: of('offline'), disabled: of('disabled') }
  }

  private grades(): S['GradeCounts'] {
    const of = (grade: S['Grade']) => this.probes.filter(probe => probe.enabled && (probe.latest?.grade ?? 'unknown') === grade).length
    return { excellent: of('excellent'), good: of('good'), fair: of('fair'), poor: of('poor'), critical: of('critical'), unknown: of('unknown'), paused: this.probes.filter(probe => !probe.enabled).length }
  }

  private overview(query: URLSearchParams): S['Overview'] {
    const [from, to] = [Number(query.get('from')), Number(query.get('to'))]
    const worst = this.probes.filter(probe => !['excellent', 'good', 'unknown'].includes(probe.latest?.grade ?? 'unknown')).slice(0, 10)
    const one = this.probes[0]
    const strip = one ? makeSeries(one, from, to, this.now(), { width: 120 }) : undefined
    const n = this.probes.length
    return {
      from_us: from, to_us: to, now_us: this.now(), probes: n, agents: this.agentCounts(), grades: this.grades(), agents_offline: this.agents.filter(agent => agent.status === 'offline'), changes: this.audit, route_changes: makeRouteChanges(this.probes, this.now()),
      worst: worst.map((probe) => {
        const series = makeSeries(probe, from, to, this.now(), { width: 60 })
        return { probe, grade: probe.latest?.grade ?? 'unknown', grade_reason: probe.latest?.grade_reason ?? '', metrics: probe.latest?.metrics ?? {}, metric: 'rtt_p50', values: series.metrics.rtt_p50 ?? [], grades: series.grade, degraded_since_us: (series.start_us.at(-3) ?? from) + 7_000_000 }
      }),
      health: {
        step_us: strip?.step_us ?? 60e6, start_us: strip?.start_us ?? [], grades: {
          unknown: strip?.grade.map(grade => grade === 'unknown' ? n : 0) ?? [], critical: strip?.grade.map(grade => grade === 'critical' ? Math.ceil(n / 4) : 0) ?? [], poor: strip?.grade.map(grade => grade === 'poor' ? Math.ceil(n / 8) : 0) ?? [],
          excellent: strip?.grade.map(grade => grade === 'unknown' ? 0 : Math.floor(n * 0.7)) ?? [],
        },
      },
    }
  }
}

export async function handle(mock: MockController, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request)
    chunks.push(chunk as Buffer)
  const url = new URL(request.url ?? '/', 'http://mock')
  const text = Buffer.concat(chunks).toString()
  if (mock.stalled?.test(url.pathname)) {
    await new Promise(done => response.on('close', done))
    return
  }
  const answer = mock.answer({
    method: request.method ?? 'GET', query: url.searchParams, body: text === '' ? {} : JSON.parse(text) as Record<string, unknown>,
    path: url.pathname.replace(/^\/api\/v1\//, '').split('/').map(decodeURIComponent),
  })
  response.writeHead(answer.status, { 'content-type': answer.status < 400 ? 'application/json' : 'application/problem+json', ...(answer.etag ? { etag: answer.etag } : {}) })
  response.end(answer.body === undefined ? '' : JSON.stringify(answer.body))
}
