// Which press moves a node and which moves the ground.
import type { MapRenderer } from '@/map/renderer'
import { describe, expect, it, vi } from 'vitest'
import { shallowRef } from 'vue'
import { makeGraph } from '@/map/graph'
import { network } from '@/map/testing'
import { makeView } from '@/map/view'
import { useMapPointer } from './useMapPointer'

const view = makeView(makeGraph(network(['a1 r1 t1'])), { agents: 'none', hops: 'none', targets: 'none', fold: false, open: new Set() })
const R1 = view.index.get('r1') ?? -1

/** r1 is drawn at (100, 100); whoever presses within 10 pixels takes it. */
function world({ selected = [] as number[], placing = '' } = {}) {
  const calls: string[] = []
  let holding = false
  const near = (x: number, y: number) => Math.hypot(x - 100, y - 100) <= 10 ? R1 : -1
  const renderer = {
    pick: near, grasp: near, at: () => ({ x: 100, y: 100 }),
    placeAt: (x: number, y: number) => ({ x, y }),
    panBy: (dx: number, dy: number) => calls.push(`pan ${dx} ${dy}`), zoomBy: (by: number) => calls.push(`zoom ${by.toFixed(1)}`),
    hold: (key: string, x: number, y: number) => {
      holding = true
      calls.push(`hold ${key} ${x} ${y}`)
    },
    put: () => {
      holding = false
      return { x: 1, y: 2 }
    },
    letGo: () => {
      holding = false
      calls.push('let go')
    },
    get holding() { return holding },
  } as unknown as MapRenderer
  const host = { view: () => view, selected: () => selected, placing: () => placing, point: vi.fn(), choose: vi.fn(), pin: vi.fn() }
  const pointer = useMapPointer(shallowRef(document.createElement('div')), shallowRef(renderer), host)
  const event = (x: number, y: number, more: PointerEventInit = {}) => new PointerEvent('pointer', { clientX: x, clientY: y, pointerId: 1, button: 0, pointerType: 'mouse', ...more })
  return { ...pointer, ...host, calls, event }
}

describe('a press', () => {
  it('on a node takes it, where it was taken hold of, and puts it down', () => {
    const { down, move, up, event, calls, pin, choose } = world()
    down(event(104, 98))
    move(event(154, 98))
    up(event(154, 98))
    expect(calls).toEqual(['hold r1 150 100'])
    expect(pin).toHaveBeenCalledWith([['r1', { x: 1, y: 2 }]])
    expect(choose).not.toHaveBeenCalled()
  })
  it('beside it moves the ground; one that does not move chooses', () => {
    const { down, move, up, event, calls, choose } = world()
    down(event(120, 100))
    move(event(130, 105))
    up(event(130, 105))
    expect(calls).toEqual(['pan 10 5'])
    down(event(101, 100))
    move(event(102, 100))
    up(event(102, 100, { shiftKey: true }))
    expect(choose.mock.calls).toEqual([['r1', true]])
  })
  it('of a finger takes only what is selected', () => {
    for (const selected of [[], [R1]]) {
      const { down, move, event, calls } = world({ selected })
      down(event(100, 100, { pointerType: 'touch' }))
      move(event(140, 100, { pointerType: 'touch' }))
      expect(calls).toEqual([selected.length > 0 ? 'hold r1 140 100' : 'pan 40 0'])
    }
  })
  it('of a second finger lets go of the node, and zooms', () => {
    const { down, move, up, event, calls, pin } = world({ selected: [R1] })
    down(event(100, 100, { pointerType: 'touch' }))
    move(event(120, 100, { pointerType: 'touch' }))
    down(event(220, 100, { pointerId: 2, pointerType: 'touch' }))
    expect(calls.at(-1)).toBe('let go')
    move(event(320, 100, { pointerId: 2, pointerType: 'touch' }))
    expect(calls.slice(-2)).toEqual(['zoom 2.0', 'pan 50 0'])
    up(event(320, 100, { pointerId: 2 }))
    up(event(120, 100))
    expect(pin).not.toHaveBeenCalled()
  })
  it('that is taken away, or escaped from, leaves the node where it was', () => {
    for (const how of ['cancel', 'escape'] as const) {
      const { down, move, up, cancel, escape, event, calls, pin, choose } = world()
      down(event(100, 100))
      move(event(150, 100))
      if (how === 'cancel')
        cancel(event(150, 100))
      else
        expect(escape()).toBe(true)
      move(event(160, 100))
      up(event(160, 100))
      expect(calls).toEqual(['hold r1 150 100', 'let go'])
      expect([pin.mock.calls.length, choose.mock.calls.length, escape()]).toEqual([0, 0, false])
    }
  })
  it('says where the node is to be that was asked to go', () => {
    const { down, move, up, event, pin, calls } = world({ placing: 't1' })
    down(event(100, 100))
    up(event(100, 100))
    expect(pin).toHaveBeenCalledWith([['t1', { x: 100, y: 100 }]])
    down(event(100, 100))
    move(event(150, 100))
    up(event(150, 100))
    expect([calls, pin.mock.calls.length]).toEqual([['pan 50 0'], 1])
  })
})
