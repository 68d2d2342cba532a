// What the panel works out by itself for long lists and wide paths: the functions alone, without a browser.
import { expect, it } from 'vitest'
import { arranged } from '../../panel/src/features/probes/list.ts'
import { layoutPath } from '../../panel/src/features/path/layout.ts'
import { makeAgent, makeProbe, noise } from '../../panel/tests/mock/data.ts'
import { makeMesh, makePath } from '../../panel/tests/mock/paths.ts'
import { load, median } from './figures.ts'

/** What an interaction may take: both happen under the hand, in one piece. */
const AT_ONCE_MS = 150
const TIMES = 15

function timed(work: () => unknown): number {
  const took = Array.from({ length: TIMES }, () => {
    const began = performance.now()
    work()
    return performance.now() - began
  })
  return median(took)
}

it('10,000 probes, filtered and sorted by target', () => {
  const agent = makeAgent('a', 'a')
  const probes = Array.from({ length: 10_000 }, (_, i) => makeProbe(`p${i}`, agent, `t${Math.floor(noise(i, 1) * 1e6)}.example`))
  const took = timed(() => arranged(probes, { q: 'example', kind: '', agent: '', state: '' }, 'target'))
  console.log(`10,000 probes filtered and sorted: median ${took.toFixed(1)} ms of ${TIMES}; ${load()}`)
  expect(took).toBeLessThanOrEqual(AT_ONCE_MS)
})

it('a path of 30 hops and 16 flows, each link there is', () => {
  const at = 1_769_212_800_000_000
  const [hop] = makePath(makeProbe('p901', makeAgent('a1', 'vancouver-1', {}, at), 'svc-3a.example', {}, at), at, 600, 0).hops
  if (!hop)
    throw new Error('the path has no hop')
  const mesh = makeMesh(hop)
  const took = timed(() => layoutPath(mesh, { column: 100, row: 60, marginX: 50, marginY: 40 }))
  console.log(`${mesh.hops.length} hops and ${mesh.links.length} links laid out: median ${took.toFixed(1)} ms of ${TIMES}; ${load()}`)
  expect(took).toBeLessThanOrEqual(AT_ONCE_MS)
})
