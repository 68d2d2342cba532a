// What the path view makes of an answer: words, layout, moments, routes, the difference of two moments, the evidence.
import type { Hop, PathChange, PathDiff } from './types'
import { describe, expect, it } from 'vitest'
import { makeAgent, makeProbe, noise } from '../../../tests/mock/data'
import { makeChanges, makeDiff, makeMesh, makePath, makeUnreached } from '../../../tests/mock/paths'
import { diffRows } from './diff'
import { evidenceText } from './evidence'
import { alteredRows, barScale, hopMarks, interfaceText, pathFacts, pathSentence } from './hops'
import { hasPaths, momentEvents } from './kind'
import { crossings, heights, layoutPath, ordered, spread, through } from './layout'
import { landing, lastChange, momentBefore, momentOf, momentQuery, neighbour } from './moment'
import { routeRows, ttlRanges } from './routes'
import { confidenceText, limitText, lossCell, verdictLook } from './verdict'

const T0 = 1_769_212_800_000_000
const probe = makeProbe('p901', makeAgent('a1', 'vancouver-1', {}, T0), 'svc-3a.example', {}, T0)
const path = makePath(probe, T0, 600, 0)
const hopAt = (ttl: number) => path.hops.find(hop => hop.ttl === ttl) as Hop

describe('what a hop does not answer', () => {
  it('is no fault of a router that limits its replies', () => {
    expect(lossCell(hopAt(6))).toEqual({ text: '0 %', note: 'answers 76 of 200, about 1 a second', fault: false })
    expect(verdictLook(hopAt(6))).toMatchObject({ word: 'Limits replies', shape: 'ring', colour: '--unknown' })
  })
  it('is one as far as packets are lost before a limiter', () => {
    expect(lossCell({ ...hopAt(6), forwarding_loss_ratio: 0.05 })).toMatchObject({ text: '5 %', fault: true })
  })
  it('is loss with counts when the hops behind see it as well', () => {
    expect(lossCell(hopAt(8))).toEqual({ text: '6 % · 12 of 200', note: '', fault: true })
    expect(verdictLook(hopAt(8))).toMatchObject({ word: 'Loses packets', shape: 'triangle' })
  })
  it('a router that says it goes no further is not the target', () => {
    expect(verdictLook({ ...hopAt(7), last: true, answer: 'unreachable' }).word).toBe('Says unreachable')
    expect(verdictLook({ ...hopAt(12), verdict: 'none' }).word).toBe('Reached')
  })
  it('is nothing to grade of a silent router', () => expect(lossCell(hopAt(9))).toEqual({ text: '–', note: 'answers none of 200', fault: false }))
  it('is counted without alarm while it means nothing yet', () => expect(lossCell({ ...hopAt(2), sent: 10, received: 9 })).toEqual({ text: '10 % · 1 of 10', note: '', fault: false }))
  it('of nothing sent is a dash', () => expect(lossCell({ ...hopAt(2), sent: 0, received: 0 }).text).toBe('–'))
  it('has a confidence where there is something to explain', () => {
    expect(confidenceText(hopAt(1))).toBe('')
    expect(confidenceText(hopAt(8))).toBe('sure to 99.1 %')
  })
  it('limits are said per second or in seconds', () => expect([limitText(12.34), limitText(1), limitText(0.2), limitText(null)]).toEqual(['about 12 a second', 'about 1 a second', 'about one in 5 s', '']))
})

describe('the sentence', () => {
  it('says where loss begins and what is none', () => expect(pathSentence(path)).toBe('Loss begins at hop 8, 198.51.100.61 (peer.cloud-d.example): 6 % · 12 of 200; the hops behind see it as well. To the target 6 % · 12 of 200 are lost. Hop 6 only limits its replies, which is no loss.'))
  it('of a sound path', () => expect(pathSentence(makePath(probe, T0, 600, T0 + 1))).toMatch(/^The target answers all of 200 packets, 2[34]\.\d ms on average\.$/))
  it('of one that does not arrive', () => expect(pathSentence(makeUnreached(probe, T0))).toMatch(/^The target does not answer; the last that does is hop 7.*Packets larger than 1400 bytes vanish behind hop 5/))
  it('of the target alone losing', () => expect(pathSentence({ ...path, hops: [{ ...hopAt(12), id: 'x' }] })).toMatch(/^The target itself is the first to miss packets/))
  it('of nothing', () => expect(pathSentence({ ...path, runs: 0 })).toBe('Nothing was measured.'))
  it('facts count hops, paths and runs', () => expect(pathFacts(path)).toEqual(['12 hops', '3 paths', 'path MTU 1500', 'ICMP', '10 runs']))
})

describe('details', () => {
  it('say what was changed in the packet', () => {
    expect(alteredRows(hopAt(3))).toEqual([{ label: 'TTL on arrival', value: '1' }, { label: 'Source address', value: '203.0.113.77' }, { label: 'Ports', value: 'rewritten' }])
    expect(hopMarks(hopAt(3))).toEqual(['NAT'])
    expect(hopMarks(hopAt(7))).toEqual(['MPLS 24005/311'])
    expect(alteredRows({ altered: { ttl: null, dscp: 46, ecn: 3, mss: 1360, nat: null } }).map(row => row.value)).toEqual(['46 (EF)', '3 (congestion experienced)', '1,360'])
  })
  it('name interfaces by their role', () => expect(hopAt(7).interfaces.map(interfaceText)).toEqual(['incoming interface · et-0/0/3, index 17 · 198.51.100.45 · MTU 9100', 'outgoing interface · ae2.0, index 4']))
  it('bars share a round scale that holds the slowest', () => {
    for (const us of [1, 9, 99, 1234, 29_100, 75_000, 999_999]) {
      const scale = barScale([{ rtt: { min_us: 0, mean_us: 0, max_us: us, deviation_us: 0, last_us: null } }, { rtt: null }])
      expect(scale).toBeGreaterThanOrEqual(us)
      expect(scale).toBeLessThanOrEqual(us * 1.7 + 1)
    }
  })
})

describe('the layout', () => {
  const SPACING = { column: 100, row: 60, marginX: 50, marginY: 40 }
  const placed = layoutPath(path, SPACING)
  const at = (id: string) => placed.nodes.find(node => node.id === id)

  it('is the same each time, finite, and inside its frame', () => {
    expect(layoutPath(path, SPACING)).toEqual(placed)
    for (const { x, y } of placed.nodes) {
      expect(x).toBeGreaterThanOrEqual(50)
      expect(x).toBeLessThanOrEqual(placed.width - 50)
      expect(y).toBeGreaterThanOrEqual(40 - 1e-9)
      expect(y).toBeLessThanOrEqual(placed.height - 40 + 1e-9)
    }
  })
  it('has all hops and links, a column per TTL', () => {
    expect(placed.nodes).toHaveLength(path.hops.length + 1)
    expect(placed.links).toHaveLength(path.links.length)
    expect(at('1:192.0.2.1')?.column).toBe(1)
    expect(at('12:198.51.100.7')?.x).toBe(50 + 1200)
  })
  it('keeps single routers in one line and opens the diamond around it', () => {
    const line = new Set(['agent', '1:192.0.2.1', '6:198.51.100.21', '9:*', '12:198.51.100.7'].map(id => at(id)?.y.toFixed(6)))
    expect(line.size).toBe(1)
    const axis = at('agent')?.y ?? 0
    const branches = ['4:203.0.113.33', '4:203.0.113.37'].map(id => (at(id)?.y ?? 0) - axis)
    expect(Math.min(...branches)).toBeLessThan(0)
    expect(Math.max(...branches)).toBeGreaterThan(0)
  })
  it('keeps a row between neighbours of a column', () => {
    for (let column = 0; column <= 12; column += 1) {
      const ys = placed.nodes.filter(node => node.column === column).map(node => node.y).sort((a, b) => a - b)
      ys.slice(1).forEach((y, i) => expect(y - (ys[i] ?? 0)).toBeGreaterThanOrEqual(60 - 1e-6))
    }
  })
  it('takes a path of nothing, of one hop, and links to what is not there', () => {
    expect(layoutPath({ hops: [], links: [] }, SPACING)).toMatchObject({ links: [], width: 100, height: 80 })
    expect(layoutPath({ hops: [hopAt(1)], links: [{ from: 'agent', to: '1:192.0.2.1', share: 1, delay_us: null }, { from: '1:192.0.2.1', to: 'x', share: 1, delay_us: null }] }, SPACING).links).toHaveLength(1)
  })
  it('untangles: never more crossings than before, and none where there need be none', () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const columns = [['agent'], ...[1, 2, 3, 4].map(c => Array.from({ length: 1 + Math.floor(noise(seed, c) * 6) }, (_, i) => `${c}:${i}`))]
      const edges = columns.slice(1).flatMap((column, c) => column.flatMap(to => (columns[c] ?? []).filter((_, i) => i === 0 || noise(seed + i, c * 31 + Number(to.slice(2))) > 0.5).map(from => ({ from, to, share: 1 }))))
      const found = ordered(columns, edges)
      expect(crossings(found, edges)).toBeLessThanOrEqual(crossings(columns, edges))
      expect(found.map(column => [...column].sort())).toEqual(columns.map(column => [...column].sort()))
      for (const y of heights(found, edges).values())
        expect(Number.isFinite(y)).toBe(true)
    }
    const crossed = [['agent'], ['a', 'b'], ['c', 'd'], ['e']]
    const edges = [['agent', 'a'], ['agent', 'b'], ['a', 'd'], ['b', 'c'], ['c', 'e'], ['d', 'e']].map(([from = '', to = '']) => ({ from, to, share: 0.5 }))
    expect(crossings(crossed, edges)).toBe(1)
    expect(crossings(ordered(crossed, edges), edges)).toBe(0)
  })
  it('lays out sixteen flows through a mesh, every link of them', () => {
    const mesh = makeMesh(hopAt(1))
    expect(mesh.links.length).toBeGreaterThan(6000)
    expect(layoutPath(mesh, SPACING).links).toHaveLength(mesh.links.length)
  })
  it('spreads by as little as it can', () => {
    expect(spread([0, 0], 1)).toEqual([-0.5, 0.5])
    expect(spread([0, 5], 1)).toEqual([0, 5])
    expect(spread([3, 3, 3], 1)).toEqual([2, 3, 4])
    expect(spread([], 1)).toEqual([])
  })
  it('knows what lies on the paths through a node', () => {
    const found = through('4:203.0.113.33', path.paths)
    expect(found.nodes.has('5:198.51.100.1')).toBe(true)
    expect(found.nodes.has('5:198.51.100.5')).toBe(false)
    expect(found.links.has('agent>1:192.0.2.1')).toBe(true)
    expect(through('agent', path.paths).nodes.size).toBe(path.hops.length + 1)
  })
})

describe('the moment', () => {
  const change = (at_us: number) => ({ ...makeChanges(T0).changes[0], at_us }) as PathChange
  it('goes into the URL and back', () => {
    for (const moment of [{ atMs: null, focusS: 600, beforeMs: null }, { atMs: 1_769_212_800_123, focusS: 3600, beforeMs: 1_769_212_700_000 }])
      expect(momentOf(momentQuery(moment) as never)).toEqual(moment)
    expect(momentOf({ at: 'yesterday', focus: '7', before: '1e9' })).toEqual({ atMs: null, focusS: 600, beforeMs: null })
  })
  it('after a change has its first run and nothing older; before it, the run before', () => {
    const { atMs: at, focusS } = landing(change(T0 + 456), 600, T0 / 1000 + 1e6)
    expect(focusS).toBe(600)
    expect(at * 1000 + 999 - 600e6).toBeLessThan(T0 + 456)
    expect(at * 1000 + 999).toBeGreaterThanOrEqual(T0 + 456)
    for (const at of [T0, T0 + 1, T0 + 456, T0 + 999])
      expect(momentBefore(change(at)) * 1000 + 999).toBeLessThan(at)
  })
  it('of a young change has a shorter focus, so that what was before it is not in it', () => {
    expect(landing(change(T0), 600, T0 / 1000 + 300_000)).toEqual({ atMs: T0 / 1000 + 59_999, focusS: 60 })
    expect(landing(change(T0), 3600, T0 / 1000 + 1_200_000)).toEqual({ atMs: T0 / 1000 + 599_999, focusS: 600 })
    expect(landing(change(T0), 600, T0 / 1000 + 5000)).toEqual({ atMs: T0 / 1000 + 5000, focusS: 60 })
  })
  it('knows the last change that it can have seen', () => {
    const changes = [change(T0), change(T0 + 100e6)]
    expect(lastChange(changes, { atMs: null, focusS: 600, beforeMs: null })?.at_us).toBe(T0 + 100e6)
    expect(lastChange(changes, { atMs: T0 / 1000 + 50_000, focusS: 600, beforeMs: null })?.at_us).toBe(T0)
    expect(lastChange(changes, { atMs: T0 / 1000 - 1, focusS: 600, beforeMs: null })).toBeUndefined()
  })
  it('visits every change once, forth and back, however close they are', () => {
    const changes = [0, 1, 2, 700].map(s => change(T0 + s * 1e6))
    const now = T0 / 1000 + 1e7
    let moment = { atMs: null as number | null, focusS: 600, beforeMs: null }
    const walk = (direction: -1 | 1) => {
      const seen: number[] = []
      for (let found = neighbour(changes, moment, direction); found; found = neighbour(changes, moment, direction)) {
        seen.push((found.at_us - T0) / 1e6)
        moment = { ...moment, ...landing(found, 600, now) }
      }
      return seen
    }
    expect(walk(-1)).toEqual([700, 2, 1, 0])
    expect(walk(1)).toEqual([1, 2, 700])
  })
  it('is shaded on the chart', () => {
    expect(momentEvents({ atMs: null, focusS: 600, beforeMs: null })).toEqual([])
    expect(momentEvents({ atMs: 1_000_000, focusS: 600, beforeMs: 500_000 }).map(event => [event.seconds, event.until])).toEqual([[-100, 500], [400, 1000]])
  })
  it('only kinds that declare hops have one', () => {
    expect(hasPaths({ columns: [{ name: 'hops', type: 'table' }] } as never)).toBe(true)
    expect(hasPaths({ columns: [{ name: 'hops', type: 'text' }] } as never)).toBe(false)
    expect(hasPaths(undefined)).toBe(false)
  })
})

describe('routes', () => {
  it('say where they leave the commonest; what does not answer contradicts nothing', () => {
    const [first, second] = routeRows(makeChanges(T0).routes)
    expect(first?.differsAt).toEqual([])
    expect(second?.differsAt).toEqual([5, 6])
    const route = (hops: string[][]) => ({ id: 'x', hops, runs: 1, share_of_time: 0.5, first_us: 0, last_us: 0 })
    expect(routeRows([route([['a'], ['b', 'c'], ['d']]), route([['a'], ['c', 'b'], []])])[1]?.differsAt).toEqual([])
    expect(routeRows([route([['a'], ['b']]), route([['a'], ['b'], ['c']])])[1]?.differsAt).toEqual([3])
  })
  it('TTLs are said as ranges', () => expect([ttlRanges([]), ttlRanges([4]), ttlRanges([4, 5, 6]), ttlRanges([2, 4, 5])]).toEqual(['', 'hop 4', 'hops 4 to 6', 'hops 2, 4 to 5']))
})

describe('two moments', () => {
  const diff = makeDiff(makePath(probe, T0, 600, T0 + 1), path)
  it('stand in lines: what has gone before what has come, pairs together', () => {
    const rows = diffRows(diff)
    expect(rows.filter(row => row.ttl === 5).map(row => [row.change, row.before?.name ?? '', row.after?.name ?? ''])).toEqual([
      ['removed', 'old-1.transit-b.example', ''], ['added', '', 'be12.transit-c.example'], ['added', '', 'be13.transit-c.example'], ['added', '', 'be14.transit-c.example'],
    ])
    expect(rows.find(row => row.ttl === 8)).toMatchObject({ change: 'changed', before: { id: '8:198.51.100.61' }, after: { id: '8:198.51.100.61' } })
    expect(rows.find(row => row.ttl === 9)?.change).toBe('same')
  })
  it('what differs by less than its own spread is as before', () => {
    const [a, b] = [{ ...hopAt(2), rtt: { min_us: 1, mean_us: 2000, max_us: 3, deviation_us: 100, last_us: 1 } }, { ...hopAt(2), rtt: { min_us: 1, mean_us: 2150, max_us: 3, deviation_us: 100, last_us: 1 } }]
    const of = (delta: number, loss = 0) => diffRows({ before: { ...path, hops: [a] }, after: { ...path, hops: [b] }, added: [], removed: [], changed: [{ before: a.id, after: b.id, loss_ratio_delta: loss, rtt_mean_delta_us: delta }], same: true })[0]?.change
    expect([of(150), of(250), of(-250), of(0, 0.01)]).toEqual(['same', 'changed', 'changed', 'changed'])
  })
  it('every hop of both is there exactly once', () => {
    const rows = diffRows(diff)
    expect(rows.flatMap(row => row.before ? [row.before.id] : []).sort()).toEqual(diff.before.hops.map(hop => hop.id).sort())
    expect(rows.flatMap(row => row.after ? [row.after.id] : []).sort()).toEqual(diff.after.hops.map(hop => hop.id).sort())
  })
  it('a router that fell silent is no removal by itself', () => {
    const silent: PathDiff = { before: { ...path, hops: [{ ...hopAt(9) }] }, after: { ...path, hops: [] }, added: [], removed: [], changed: [], same: true }
    expect(diffRows(silent).map(row => row.change)).toEqual(['same'])
  })
})

describe('the evidence', () => {
  const text = evidenceText(path)
  it('says who, where to, when in UTC, what, and what the words mean', () => {
    expect(text).toMatch(/^Path from vancouver-1 to svc-3a\.example \(198\.51\.100\.7\), ICMP\nMeasured from 2026-01-23 23:50:12 UTC to 2026-01-23 23:59:51 UTC, 10 runs\n/)
    expect(text).toContain('Loss begins at hop 8')
    expect(text).toMatch(/^ +6 {2}198\.51\.100\.21 .*62 % \(124 of 200\).*Limits replies, about 1 a second \(99\.8 % sure\)$/m)
    expect(text).toMatch(/^ +8 {2}198\.51\.100\.61 .*6 % \(12 of 200\).*Loses packets \(99\.1 % sure\)$/m)
    expect(text).toMatch(/^ +9 {2}\* .*- +- +- +- {2}Never answers/m)
    expect(text).toContain('Limits replies: The router answers less than it forwards.')
    expect(text).toContain('3 paths are in use at once')
  })
  it('has its columns in line', () => {
    const table = text.split('\n').filter(line => /^ *(?:Hop|\d+) {2}/.test(line))
    expect(table).toHaveLength(path.hops.length + 1)
    const start = table[0]?.indexOf('Meaning') ?? -1
    for (const line of table.slice(1))
      expect(line.slice(start - 2, start)).toBe('  ')
  })
  it('what the network says stays on its line', () => {
    const hostile = evidenceText({ ...path, hops: [{ ...hopAt(8), name: 'a\nHop 1 fine\u202Eb' }] })
    expect(hostile).toContain('a?Hop 1 fine?b')
    expect(hostile).not.toMatch(/^Hop 1 fine/m)
  })
})
