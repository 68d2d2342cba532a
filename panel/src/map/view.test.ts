import type { Grouping } from './grouping'
import type { MapView } from './view'
import { describe, expect, it } from 'vitest'
import { makeTopology } from '../../tests/mock/topology'
import { changesOf } from './changes'
import { compare } from './compare'
import { asksNothing, matchesOf, NO_CRITERIA, viewMatches } from './filter'
import { chosenByKey, focusOf } from './focus'
import { makeGraph } from './graph'
import { chosenGrouping } from './grouping'
import { nextProblem, problemsOf } from './problems'
import { nodeRows, pathRows, sortedNodes, sortedPaths } from './rows'
import { network } from './testing'
import { makeView } from './view'

const PLAIN: Grouping = { agents: 'none', hops: 'none', targets: 'none', fold: false, open: new Set() }
const viewOf = (topology: Parameters<typeof makeGraph>[0], grouping: Partial<Grouping> = {}) => makeView(makeGraph(topology), { ...PLAIN, ...grouping })
const keysOf = (view: MapView) => view.nodes.map(node => node.key)
const linksOf = (view: MapView) => view.edges.map(edge => `${view.nodes[edge.source]?.key ?? ''}>${view.nodes[edge.target]?.key ?? ''} ${edge.paths}`).sort()

describe('groups', () => {
  const topology = network(['a1 r1 r2 t1', 'a2 r3 r2 t1', 'a3 r9 t2'], {
    nodes: { r1: { address: '198.51.100.1' }, r3: { address: '198.51.100.3' }, r2: { address: '203.0.113.2' }, r9: { address: '2001:db8:5::9' }, a1: { site: 'Oslo', labels: ['edge', 'rare'] }, a2: { site: 'Oslo', labels: ['edge'] }, a3: { labels: ['core'] } },
  })
  it('of hops are networks; who is alone in one stays itself', () => {
    const view = viewOf(topology, { hops: '24' })
    expect(keysOf(view)).toEqual(['a1', 'a2', 'a3', 'hops:24:198.51.100.0/24', 'r2', 'r9', 't1', 't2'])
    expect(linksOf(view)).toContain('hops:24:198.51.100.0/24>r2 2')
  })
  it('of agents are sites or labels, and the label that most have', () => {
    expect(keysOf(viewOf(topology, { agents: 'site' })).filter(key => key.startsWith('a'))).toEqual(['a3', 'agents:site:Oslo'])
    expect(keysOf(viewOf(topology, { agents: 'label' })).filter(key => key.startsWith('a'))).toEqual(['a3', 'agents:label:edge'])
  })
  it('open in their place, and what is in them stays together', () => {
    const view = viewOf(topology, { hops: '24', open: new Set(['hops:24:198.51.100.0/24']) })
    expect(view.nodes.filter(node => node.band !== '').map(node => node.key)).toEqual(['r1', 'r3'])
  })
  it('have the worst grade of their members; hops that do not answer have no say', () => {
    const view = viewOf(network(['a1 r1 r2 r3 t1'], { grades: { r1: 'good', r2: 'poor', r3: 'unknown' }, nodes: { r1: { address: '10.0.0.1' }, r2: { address: '10.0.0.2' }, r3: { address: '10.0.0.3' } } }), { hops: '24' })
    const group = view.nodes[view.index.get('hops:24:10.0.0.0/24') ?? -1]
    expect([group?.grade, group?.trouble, group?.members.length]).toEqual(['poor', 1, 3])
  })
  it('take in a hop that does not answer when its neighbours are theirs', () => {
    const addresses = { r1: { address: '10.0.0.1' }, r2: { address: '10.0.0.2' }, r3: { address: '10.9.9.3' }, r4: { address: '10.9.9.4' } }
    const view = viewOf(network(['a1 r1 x1 r2 t1', 'a1 r1 x2 r3 r4 t1'], { nodes: addresses }), { hops: '24' })
    expect(view.of[view.graph.index.get('x1') ?? -1]).toBe(view.index.get('hops:24:10.0.0.0/24'))
  })
  it.each(['none', '24', '16'] as const)('lose nothing: every node is drawn once, weights are sums (%s)', (hops) => {
    const graph = makeGraph(makeTopology({ agents: 8, targets: 6, hops: 200, edges: 900 }))
    for (const fold of [false, true]) {
      const view = makeView(graph, { ...PLAIN, hops, agents: 'site', fold })
      const members = view.nodes.flatMap(node => node.members)
      expect(members.toSorted((a, b) => a - b)).toEqual(graph.nodes.map((_, i) => i))
      const drawn = view.edges.reduce((sum, edge) => sum + edge.paths, 0)
      const inside = graph.edges.reduce((sum, edge, e) => sum + (view.of[graph.source[e] ?? 0] === view.of[graph.target[e] ?? 0] ? edge.paths : 0), 0)
      expect(drawn + inside).toBe(graph.edges.reduce((sum, edge) => sum + edge.paths, 0))
      expect(view.edges.every(edge => edge.trouble <= edge.paths)).toBe(true)
    }
  })
  it('are chosen by themselves where the network is large', () => {
    const large = makeGraph(makeTopology())
    const grouping = chosenGrouping(large, {}, new Set())
    expect(grouping.hops).toBe('24')
    expect(makeView(large, grouping).nodes.length).toBeLessThan(400)
    expect(chosenGrouping(large, { hops: 'none' }, new Set()).hops).toBe('none')
    expect(chosenGrouping(makeGraph(network(['a1 r1 t1'])), {}, new Set())).toMatchObject({ hops: 'none', fold: false })
  })
})

it('several branches together are as wide as their paths, not as one share', () => {
  const view = viewOf(network(['a1 r1 r2 t1 / a1 r1 r3 t1'], { nodes: { r2: { address: '10.0.0.2' }, r3: { address: '10.0.0.3' } } }), { hops: '24' })
  const edge = view.edges.find(entry => view.nodes[entry.source]?.key === 'r1')
  expect([edge?.paths, edge?.bundled, edge?.members.length]).toEqual([2, false, 2])
  expect(view.nodes[view.index.get('r1') ?? -1]?.fanout).toBe(2)
})

describe('runs', () => {
  it('of plain hops are one, with the weights of their ends', () => {
    const view = viewOf(network(['a1 r1 r2 r3 r4 t1', 'a1 r1 r2 r3 r4 t2']), { fold: true })
    expect(linksOf(view)).toEqual(['a1>run:r1 2', 'r4>t1 1', 'r4>t2 1', 'run:r1>r4 2'])
    expect(view.nodes[view.index.get('run:r1') ?? -1]).toMatchObject({ kind: 'run', label: '··3··', grade: 'excellent', paths: 2 })
  })
  it('never swallow a problem, a branch, or less than three', () => {
    expect(keysOf(viewOf(network(['a1 r1 r2 r3 r4 t1'], { grades: { r2: 'fair' } }), { fold: true }))).toEqual(['a1', 'r1', 'r2', 'r3', 'r4', 't1'])
    expect(keysOf(viewOf(network(['a1 r1 r2 t1']), { fold: true }))).toEqual(['a1', 'r1', 'r2', 't1'])
    expect(keysOf(viewOf(network(['a1 r1 r2 r3 r4 t1', 'a2 r2 t2']), { fold: true }))).toContain('r2')
  })
  it('of hops that do not answer say how many', () => {
    const view = viewOf(network(['a1 r1 x1 x2 x3 r2 t1', 'a2 r1 t2', 'a2 r2 t2']), { fold: true })
    expect(view.nodes.find(node => node.kind === 'run')).toMatchObject({ label: '* ×3', grade: 'unknown' })
  })
  it('open one by one', () => {
    const topology = network(['a1 r1 r2 r3 t1', 'a2 r4 r5 r6 t2'])
    expect(keysOf(viewOf(topology, { fold: true, open: new Set(['run:r1']) })).filter(key => !/^[at]/.test(key))).toEqual(['r1', 'r2', 'r3', 'run:r4'])
  })
  it('end when a path comes back to itself', () => expect(viewOf(network(['r1 r2 r3 r1']), { fold: true }).nodes.length).toBe(3))
})

describe('the highlight', () => {
  const topology = network(['a1 r1 r2 t1', 'a2 r3 t2'], {
    grades: { r2: 'poor' }, nodes: { r1: { name: 'ae1.core.example', address: '198.51.100.1', addresses: ['198.51.100.1', '198.51.100.9'] }, r2: { forwarding_loss_ratio: 0.07 }, r3: { address: '10.9.3.3' }, a2: { site: 'Lagos', labels: ['edge'] } }, edges: { 'r3>t2': { delay_us: 9000 } },
  })
  const graph = makeGraph(topology)
  const hit = (criteria: Partial<typeof NO_CRITERIA>) => {
    const matches = matchesOf(graph, { ...NO_CRITERIA, ...criteria })
    return matches && { nodes: graph.nodes.filter((_, i) => matches.nodes[i] === 1).map(node => node.id), edges: graph.edges.filter((_, i) => matches.edges[i] === 1).map(edge => edge.id), paths: graph.paths.filter((_, i) => matches.paths[i] === 1).map(path => path.probe) }
  }
  it('asks nothing when nothing is asked', () => {
    expect(asksNothing(NO_CRITERIA)).toBe(true)
    expect(hit({ text: '  ' })).toBeNull()
  })
  it('finds names, addresses, sites, labels and networks', () => {
    expect(hit({ text: 'CORE' })?.nodes).toEqual(['r1'])
    expect(hit({ text: '198.51.100.9' })?.nodes).toEqual(['r1'])
    expect(hit({ text: 'lagos' })?.nodes).toEqual(['a2'])
    expect(hit({ text: 'edge' })?.nodes).toEqual(['a2'])
    expect(hit({ text: '10.9.0.0/16' })).toEqual({ nodes: ['r3'], edges: [], paths: ['p1'] })
    expect(hit({ text: '198.51.100.' })?.nodes).toEqual(['r1'])
  })
  it('asks for loss of hops and delay of links each by itself', () => {
    expect(hit({ loss: 0.05 })).toEqual({ nodes: ['r2'], edges: [], paths: ['p0'] })
    expect(hit({ delayUs: 5000 })).toEqual({ nodes: [], edges: ['r3>t2'], paths: ['p1'] })
    expect(hit({ grade: 'poor' })?.nodes).toEqual(['r2'])
  })
  it('shows whole paths when only problems are wanted', () => {
    expect(hit({ problems: true })).toEqual({ nodes: ['a1', 'r1', 'r2', 't1'], edges: ['a1>r1', 'r1>r2', 'r2>t1'], paths: ['p0'] })
  })
  it('speaks of a group when it speaks of a member, and of the ends of a link', () => {
    const view = makeView(graph, PLAIN)
    const drawn = viewMatches(view, matchesOf(graph, { ...NO_CRITERIA, delayUs: 5000 }))
    expect(view.nodes.filter((_, i) => drawn?.nodes[i] === 1).map(node => node.key)).toEqual(['r3', 't2'])
    expect(viewMatches(view, null)).toBeNull()
  })
})

describe('the focus', () => {
  const topology = network(['a1 r1 r2 t1 / a1 r1 r3 t1', 'a2 r1 r2 t2', 'a3 r9 t3'])
  const view = viewOf(topology)
  const focus = (keys: string[], pair = false, of = view) => focusOf(of, keys.flatMap(key => chosenByKey(of, key) ?? []), pair)
  it('has all paths through a node, whom they concern and how many share each link', () => {
    const found = focus(['r1'])
    expect(found.paths).toHaveLength(3)
    expect(found.agents.map(hit => [view.graph.nodes[hit.node]?.id, hit.paths])).toEqual([['a1', 2], ['a2', 1]])
    expect(found.targets.map(hit => view.graph.nodes[hit.node]?.id)).toEqual(['t1', 't2'])
    const links = [...found.source].map((s, i) => `${view.nodes[s]?.key ?? ''}>${view.nodes[found.target[i] ?? 0]?.key ?? ''} ${found.count[i] ?? 0}`).sort()
    expect(links).toEqual(['a1>r1 2', 'a2>r1 1', 'r1>r2 2', 'r1>r3 1', 'r2>t1 1', 'r2>t2 1', 'r3>t1 1'])
  })
  it('of several is through any of them, of a pair through all', () => {
    expect(focus(['r2', 'r9']).paths).toHaveLength(3)
    expect(focus(['a1', 'r2'], true).paths).toHaveLength(1)
    expect(focus(['a1', 't3'], true).paths).toEqual([])
  })
  it('of a node inside a group is that node\'s, not the group\'s', () => {
    const grouped = viewOf(network(['a1 r1 t1', 'a2 r2 t2'], { nodes: { r1: { address: '10.0.0.1' }, r2: { address: '10.0.0.2' } } }), { hops: '24' })
    expect(focus(['r1'], false, grouped).paths).toHaveLength(1)
    expect(focus(['hops:24:10.0.0.0/24'], false, grouped).paths).toHaveLength(2)
  })
  it('of what is not there is nothing', () => expect(chosenByKey(view, 'nowhere')).toBeNull())
})

describe('problems', () => {
  const view = viewOf(network(['a1 r1 r2 t1', 'a2 r2 r3 t2'], { grades: { r1: 'critical', r2: 'fair', r3: 'fair', t2: 'poor' } }))
  it('come worst first, then by how many they concern', () => expect(problemsOf(view)).toEqual(['r1', 't2', 'r2', 'r3']))
  it('are gone through round and round', () => {
    expect(nextProblem(['x', 'y'], undefined, 1)).toBe('x')
    expect(nextProblem(['x', 'y'], undefined, -1)).toBe('y')
    expect(nextProblem(['x', 'y'], 'y', 1)).toBe('x')
    expect(nextProblem(['x', 'y'], 'x', -1)).toBe('y')
    expect(nextProblem([], 'x', 1)).toBeUndefined()
  })
})

describe('rows', () => {
  const graph = makeGraph(network(['a1 r1 x1 t1', 'a2 r2 t2'], { grades: { r2: 'critical' }, nodes: { r1: { rtt_mean_us: 5 }, r2: { rtt_mean_us: 3, name: 'core' } } }))
  it('are the nodes and paths of the picture', () => {
    expect(nodeRows(graph, null).map(entry => entry.id)).toEqual(graph.nodes.map(node => node.id))
    expect(pathRows(graph, null, null).map(entry => [entry.agentName, entry.hops])).toEqual([['a1', 2], ['a2', 1]])
    expect(pathRows(graph, null, new Set([1]))).toHaveLength(1)
  })
  it('are those that match', () => expect(nodeRows(graph, matchesOf(graph, { ...NO_CRITERIA, text: 'core' })).map(entry => entry.id)).toEqual(['r2']))
  it('are sorted worst first; what is not graded or not known comes last both ways', () => {
    expect(sortedNodes(nodeRows(graph, null), 'grade').map(entry => entry.id).at(0)).toBe('r2')
    expect(sortedNodes(nodeRows(graph, null), 'grade').at(-1)?.id).toBe('x1')
    expect(sortedNodes(nodeRows(graph, null), '-grade').at(-1)?.id).toBe('x1')
    expect(sortedNodes(nodeRows(graph, null), 'rtt').map(entry => entry.id).slice(0, 2)).toEqual(['r2', 'r1'])
    expect(sortedNodes(nodeRows(graph, null), '-rtt').map(entry => entry.id).slice(0, 2)).toEqual(['r1', 'r2'])
    expect(sortedPaths(pathRows(graph, null, null), '-hops').map(entry => entry.probe)).toEqual(['p0', 'p1'])
  })
})

it('a comparison marks a group only when all of it changed', () => {
  const nodes = { r1: { address: '10.0.0.1' }, r2: { address: '10.0.0.2' }, r3: { address: '10.0.0.3' } }
  const found = compare(network(['a1 r1 r2 t1'], { nodes }), network(['a1 r1 r3 t1'], { nodes }))
  const plain = makeView(makeGraph(found.both), PLAIN)
  const marks = changesOf(plain, found)
  expect(plain.nodes.map((node, i) => [node.key, marks.nodes[i]])).toEqual([['a1', 0], ['r1', 0], ['r2', 2], ['r3', 1], ['t1', 0]])
  const grouped = makeView(makeGraph(found.both), { ...PLAIN, hops: '24' })
  expect([...changesOf(grouped, found).nodes]).toEqual([0, 0, 0])
})
