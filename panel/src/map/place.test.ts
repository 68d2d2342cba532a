import { expect, it } from 'vitest'
import { chosenByKey, focusOf } from './focus'
import { makeGraph } from './graph'
import { placeOfFocus } from './place'
import { network } from './testing'
import { makeView } from './view'

const view = makeView(makeGraph(network(['a1 r1 x1 t1', 'a1 r2 t1', 'a2 r2 t1'])), { agents: 'none', hops: 'none', targets: 'none', fold: false, open: new Set() })
const placeOf = (...keys: string[]) => placeOfFocus(view, focusOf(view, keys.flatMap(key => chosenByKey(view, key) ?? []), keys.length > 1))

it('a router or a target has a past, with the probes that pass there', () => {
  expect(placeOf('r2')).toEqual({ id: 'r2', link: false, probes: ['p1', 'p2'] })
  expect(placeOf('t1')).toMatchObject({ id: 't1', probes: ['p0', 'p1', 'p2'] })
  expect([placeOf('a1'), placeOf('x1')]).toEqual([null, null])
})
it('two nodes have that of the link between them, in whichever order they were chosen', () => {
  const link = view.graph.edges.find(edge => edge.source === 'r2' && edge.target === 't1')?.id
  expect(placeOf('r2', 't1')).toMatchObject({ id: link, link: true, probes: ['p1', 'p2'] })
  expect(placeOf('t1', 'r2')).toMatchObject({ id: link })
  expect([placeOf('r1', 't1'), placeOf('r1', 'x1'), placeOf('a1', 'r2', 't1')]).toEqual([null, null, null])
})
