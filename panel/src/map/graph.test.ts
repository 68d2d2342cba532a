import { describe, expect, it } from 'vitest'
import { deltaBetween, makeTopology } from '../../tests/mock/topology'
import { compare } from './compare'
import { applyDelta } from './delta'
import { makeGraph, row } from './graph'
import { formatAddress, inNetwork, parseAddress, parseNetwork, prefixOf } from './prefix'
import { network } from './testing'

const sortedById = <T extends { readonly id: string }>(items: readonly T[]) => [...items].sort((a, b) => a.id < b.id ? -1 : 1)

describe('the graph', () => {
  it('is the same whatever the order in which the answer lists things', () => {
    const topology = makeTopology({ agents: 5, targets: 4, hops: 90, edges: 200 })
    const turned = { ...topology, nodes: topology.nodes.toReversed(), edges: topology.edges.toReversed() }
    const [a, b] = [makeGraph(topology), makeGraph(turned)]
    expect(b.nodes).toEqual(a.nodes)
    expect(b.source).toEqual(a.source)
    expect(b.fanout).toEqual(a.fanout)
  })
  it('knows which paths go through a node, each once, also when a path loops', () => {
    const graph = makeGraph(network(['a1 r1 r2 r1 t1', 'a1 r2 t2']))
    const through = (id: string) => [...row(graph.through, graph.index.get(id) ?? -1)]
    expect(through('r1')).toEqual([0])
    expect(through('r2')).toEqual([0, 1])
    expect(through('a1')).toEqual([0, 1])
  })
  it('counts next hops of one probe, and not those of different probes', () => {
    const graph = makeGraph(network(['a1 r1 r2 r5 t1 / a1 r1 r3 r5 t1 / a1 r1 r4 r5 t1', 'a2 r5 r6 t2', 'a2 r5 r7 t3']))
    const fanout = (id: string) => graph.fanout[graph.index.get(id) ?? -1]
    expect([fanout('r1'), fanout('r5'), fanout('a2')]).toEqual([3, 1, 1])
    expect(graph.edges.filter((_, e) => graph.bundled[e] === 1).map(edge => edge.id)).toEqual(['r1>r2', 'r1>r3', 'r1>r4'])
  })
  it('leaves out links to nodes that a truncated answer lacks', () => {
    const whole = network(['a1 r1 t1'])
    const graph = makeGraph({ ...whole, nodes: whole.nodes.filter(node => node.id !== 'r1') })
    expect(graph.edges).toEqual([])
    expect([...row(graph.route, 0)].map(i => graph.nodes[i]?.id)).toEqual(['a1', 't1'])
  })
})

describe('deltas', () => {
  const before = { ...makeTopology({ agents: 5, targets: 4, hops: 90, edges: 200 }, 5), generation: 'm.7' }
  const after = { ...makeTopology({ agents: 5, targets: 4, hops: 90, edges: 200 }, 6), generation: 'm.8' }
  it('applied to the old make what a fresh answer says', () => {
    const delta = deltaBetween(before, after)
    expect(delta.removed.nodes.length).toBeGreaterThan(0)
    const applied = applyDelta(before, delta)
    if (applied.kind !== 'applied')
      throw new Error(applied.kind)
    expect(applied.topology.generation).toBe('m.8')
    expect(sortedById(applied.topology.nodes)).toEqual(sortedById(after.nodes))
    expect(sortedById(applied.topology.edges)).toEqual(sortedById(after.edges))
    const paths = (list: typeof after.paths) => list.map(path => JSON.stringify(path)).sort()
    expect(paths(applied.topology.paths)).toEqual(paths(after.paths))
  })
  it('that are in already change nothing', () => {
    expect(applyDelta(after, deltaBetween(before, after)).kind).toBe('known')
    expect(applyDelta({ ...after, generation: 'm.12' }, deltaBetween(before, after)).kind).toBe('known')
  })
  it('that do not go on from what is known say so: one is missing, or the controller has begun anew', () => {
    const delta = deltaBetween(before, after)
    expect(applyDelta({ ...before, generation: 'm.6' }, delta).kind).toBe('gap')
    expect(applyDelta({ ...before, generation: 'other.7' }, delta).kind).toBe('gap')
    expect(applyDelta({ ...before, generation: 'other.9' }, delta).kind).toBe('gap')
    // A generation that is no number contains nothing.
    expect(applyDelta({ ...before, generation: 'm.x' }, delta).kind).toBe('gap')
  })
  it('leave what came before them as it was', () => {
    const copy = JSON.stringify(before)
    applyDelta(before, deltaBetween(before, after))
    expect(JSON.stringify(before)).toBe(copy)
  })
})

describe('two moments', () => {
  const earlier = network(['a1 r1 r2 t1', 'a2 r5 t2'])
  const later = { ...network(['a1 r1 r3 t1', 'a2 r5 t2']), at_us: 2e15 }
  it('show what came, what went and whose way is another', () => {
    const found = compare(earlier, later)
    expect(found.addedNodes.map(node => node.id)).toEqual(['r3'])
    expect(found.removedNodes.map(node => node.id)).toEqual(['r2'])
    expect(found.addedEdges.map(edge => edge.id)).toEqual(['r1>r3', 'r3>t1'])
    expect(found.removedEdges.map(edge => edge.id)).toEqual(['r1>r2', 'r2>t1'])
    expect(found.rerouted).toEqual(['p0'])
    expect(found.both.nodes.map(node => node.id).sort()).toEqual(['a1', 'a2', 'r1', 'r2', 'r3', 'r5', 't1', 't2'])
  })
  it('of a stable network show nothing, also when links got other ids', () => {
    const renamed = { ...earlier, edges: earlier.edges.map(edge => ({ ...edge, id: `e${edge.id}` })) }
    const found = compare(earlier, renamed)
    expect([...found.nodes, ...found.edges, ...found.rerouted]).toEqual([])
  })
  it('keep apart links of both moments that have the same id', () => {
    const clash = { ...later, edges: later.edges.map((edge, i) => ({ ...edge, id: `e${i}` })) }
    const found = compare({ ...earlier, edges: earlier.edges.map((edge, i) => ({ ...edge, id: `e${i}` })) }, clash)
    expect(new Set(found.both.edges.map(edge => edge.id)).size).toBe(found.both.edges.length)
    expect([...found.edges.values()].sort()).toEqual([1, 1, 2, 2])
  })
})

describe('addresses', () => {
  it.each([
    ['192.0.2.77', 24, 48, '192.0.2.0/24'], ['10.9.8.7', 16, 32, '10.9.0.0/16'], ['2001:db8:1:2::3', 24, 48, '2001:db8:1::/48'], ['2001:db8::1', 24, 32, '2001:db8::/32'],
    ['::ffff:192.0.2.1', 24, 128, '::ffff:c000:201/128'], ['fe80::1%eth0', 24, 64, 'fe80::/64'], ['::', 24, 48, '::/48'], ['1:0:0:2:0:0:0:3', 8, 128, '1:0:0:2::3/128'],
  ])('%s lies in its network', (address, v4, v6, expected) => expect(prefixOf(address, v4, v6)).toBe(expected))
  it.each(['', 'router.example', '192.0.2', '192.0.2.256', '1.2.3.4.5', '2001:db8', ':::', '1::2::3', '12345::', '::1.2.3', 'g::'])('%j is none', text => expect(parseAddress(text)).toBeNull())
  it.each(['2001:db8::1', '::', '::1', '1:2:3:4:5:6:7:8', '192.0.2.1', '1:0:0:4::8'])('%s is written as it was read', text => expect(formatAddress(parseAddress(text) ?? new Uint8Array())).toBe(text))
  it('is found in a network of its own family only', () => {
    const found = (text: string, address: string) => {
      const parsed = parseNetwork(text)
      return parsed !== null && inNetwork(address, parsed)
    }
    expect(found('192.0.2.0/24', '192.0.2.200')).toBe(true)
    expect(found('192.0.2.0/25', '192.0.2.200')).toBe(false)
    expect(found('0.0.0.0/0', '203.0.113.9')).toBe(true)
    expect(found('0.0.0.0/0', '2001:db8::1')).toBe(false)
    expect(found('2001:db8::/33', '2001:db8:8000::1')).toBe(false)
    expect(found('2001:db8::/33', '2001:db8:7fff::1')).toBe(true)
  })
  it.each(['192.0.2.0/33', '192.0.2.0/', '192.0.2.0/-1', '192.0.2.0/24/8', 'x/24'])('%j is no network', text => expect(parseNetwork(text)).toBeNull())
})
