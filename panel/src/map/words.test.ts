import { describe, expect, it } from 'vitest'
import { makeTopologyTimeline } from '../../tests/mock/topology'
import { chosenByKey, focusOf } from './focus'
import { makeGraph } from './graph'
import { network } from './testing'
import { beforeLastChange, bucketOf, momentAt, nextChange, shareOf, spanOf, stepped } from './timeline'
import { makeView } from './view'
import { announcement, clipped, nodeAddress, nodeName, plainText, sharedText } from './words'

const view = makeView(makeGraph(network(['a1 r1 r2 t1', 'a2 r1 t2', 'a2 x1 t2'], { grades: { r1: 'poor' }, nodes: { r1: { name: 'core.example', forwarding_loss_ratio: 0.07 } } })), { agents: 'none', hops: 'none', targets: 'none', fold: false, open: new Set() })
const focus = (...keys: string[]) => focusOf(view, keys.flatMap(key => chosenByKey(view, key) ?? []), false)

describe('what is said', () => {
  it('names what is selected, how it does and whom it concerns', () => expect(announcement(view, focus('r1'))).toBe('core.example, hop, poor, forwarding loss 7 %: on 2 of 3 paths, from 2 agents to 2 targets'))
  it('never grades a hop that does not answer', () => expect(announcement(view, focus('x1'))).toBe('a hop that does not reply, not graded: on 1 of 3 paths, from 1 agent to 1 target'))
  it('says how many more there are', () => expect(announcement(view, focus('r1', 'r2', 'a1', 'a2', 't1'))).toContain(' and 2 more'))
  it('is "7 of 472 paths"', () => expect(sharedText(focus('r1'), 472)).toBe('2 of 472 paths'))
})

describe('names', () => {
  const node = view.graph.nodes[view.graph.index.get('r1') ?? -1]
  it('come with their address, which is not said twice', () => {
    expect(node && [nodeName(node), nodeAddress(node)]).toEqual(['core.example', '192.0.2.1'])
    expect(node && nodeAddress({ ...node, name: '' })).toBe('')
  })
  it('from the network are text of bounded length without control characters', () => {
    expect(plainText('a\u0000b\u202Ec\u200F')).toBe('a\uFFFDb\uFFFDc\uFFFD')
    expect(plainText('x'.repeat(4096))).toHaveLength(253)
  })
  it('are cut to what fits', () => {
    expect(clipped('abcdef', 36, 6)).toBe('abcdef')
    expect(clipped('abcdefg', 36, 6)).toBe('abcde…')
    expect(clipped('abcdefg', 12, 6)).toBe('')
    expect(clipped('192.0.2.117', 36, 6)).toBe('…2.117')
    expect(clipped('2001:db8::17', 36, 6)).toBe('…8::17')
    expect(clipped('core-1.example', 36, 6)).toBe('core-…')
  })
})

describe('the time line', () => {
  const line = makeTopologyTimeline(1_000_000_000, 1_160_000_000, 160)
  it('knows moments by their place, and their place again', () => {
    expect(spanOf(line)).toEqual({ fromUs: 1_000_000_000, toUs: 1_160_000_000 })
    for (const share of [0, 0.25, 0.5, 0.99]) {
      const at = momentAt(line, share)
      expect(bucketOf(line, at)).toBe(Math.floor(share * 160))
      expect(Math.abs(shareOf(line, at) - share)).toBeLessThanOrEqual(1 / 160 + 1e-9)
    }
    expect(momentAt(line, 1)).toBe(1_160_000_000)
    expect(momentAt(line, 7)).toBe(1_160_000_000)
  })
  it('is stepped through and ends at its ends', () => {
    expect(stepped(line, 1_010_000_000, 1)).toBe(1_011_000_000)
    expect(stepped(line, 1_010_000_000, -1)).toBe(1_009_000_000)
    expect(stepped(line, 1_010_000_000, -100)).toBe(1_001_000_000)
    expect(stepped(line, 1_159_000_000, 10)).toBe(1_160_000_000)
  })
  it('goes from change to change, and finds the one it stands on only once', () => {
    const first = nextChange(line, 1_000_000_000, 1, 5e6) ?? 0
    expect(first).toBe((line.changes[0]?.at_us ?? 0) + 5e6 - 1)
    const second = nextChange(line, first, 1, 5e6) ?? 0
    expect(second).toBeGreaterThan(first)
    expect(nextChange(line, second, -1, 5e6)).toBe(first)
    expect(nextChange(line, first, -1, 5e6)).toBeNull()
    expect(nextChange({ ...line, changes: [] }, 0, 1)).toBeNull()
  })
  it('shows of a change nothing that is older, and goes no further than its end', () => {
    expect(nextChange(line, 1_000_000_000, 1, 900e6)).toBe(1_160_000_000)
    expect(nextChange(line, 1_160_000_000, -1, 900e6)).toBeNull()
  })
  it('knows the last moment before a change', () => {
    expect(beforeLastChange(line, 1_160_000_000)).toBe((line.changes.at(-1)?.at_us ?? 0) - 1)
    expect(beforeLastChange(line, line.changes[1]?.at_us ?? 0)).toBe((line.changes[0]?.at_us ?? 0) - 1)
    expect(beforeLastChange(line, 1_000_000_000)).toBeNull()
  })
  it('of no length has no place but its end', () => expect(shareOf({ ...line, grades: [] }, 5)).toBe(1))
})
