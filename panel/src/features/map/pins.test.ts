// What is kept of nodes that were put somewhere, and the ways back.
import type { LayoutName } from '@/map/layout'
import { describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref, shallowRef } from 'vue'
import { makeGraph } from '@/map/graph'
import { network } from '@/map/testing'
import { makeView } from '@/map/view'
import { noPins, PINS_MAX, PINS_STORED, readPins, writePins } from './pinStore'
import { usePins } from './usePins'

/** A device of its own, which may have no room. */
function device(text?: string): Storage & { full: boolean } {
  const kept = new Map<string, string>(text === undefined ? [] : [[PINS_STORED, text]])
  return {
    full: false, length: 0, key: () => null, clear: () => kept.clear(),
    getItem: key => kept.get(key) ?? null,
    removeItem: (key) => { kept.delete(key) },
    setItem(key, value) {
      if (this.full)
        throw new Error('no room')
      kept.set(key, value)
    },
  }
}
const pinsOf = (entries: readonly (readonly [string, number, number, number])[]) => new Map(entries.map(([key, x, y, day]) => [key, { x, y, day }]))

describe('what the device keeps', () => {
  it('comes back as it was, by workspace and layout', () => {
    const storage = device()
    writePins(storage, 'w1', { ...noPins(), layered: pinsOf([['r1', 0.5, 0.25, 100]]), force: pinsOf([['r1', -30, 12, 99]]) })
    writePins(storage, 'w2', { ...noPins(), layered: pinsOf([['r1', 0.1, 0.1, 100]]) })
    expect(readPins(storage, 'w1', 100)).toEqual({ layered: pinsOf([['r1', 0.5, 0.25, 100]]), force: pinsOf([['r1', -30, 12, 99]]), concentric: new Map() })
    expect(readPins(storage, 'w2', 100).layered.get('r1')?.x).toBe(0.1)
    writePins(storage, 'w1', noPins())
    writePins(storage, 'w2', noPins())
    expect(storage.getItem(PINS_STORED)).toBeNull()
  })
  it('is believed only where it can be true', () => {
    const nothing = noPins()
    for (const text of ['', '{', 'null', '[]', '7', '{"w":7}', '{"w":[]}', '{"w":{"layered":{}}}', '{"w":{"layered":[7,null,["r1"],["r1","0","0",100],["",0,0,100],["r1",1e9,0,100],["r1",null,0,100]]}}'])
      expect(readPins(device(text), 'w', 100)).toEqual(nothing)
    expect(readPins(device(`{"w":{"layered":[["${'k'.repeat(201)}",0,0,100],["r1",0.5,0.5,100]]}}`), 'w', 100).layered.size).toBe(1)
  })
  it('is no more than so many nodes and workspaces', () => {
    const storage = device()
    const many = pinsOf(Array.from({ length: PINS_MAX + 50 }, (_, i) => [`r${i}`, 0, 0, 100] as const))
    for (let w = 0; w < 20; w += 1)
      writePins(storage, `w${w}`, { ...noPins(), layered: many })
    expect(Object.keys(JSON.parse(storage.getItem(PINS_STORED) ?? '') as object)).toHaveLength(12)
    const read = readPins(storage, 'w19', 100).layered
    expect(read.size).toBe(PINS_MAX)
    expect([read.has('r0'), read.has(`r${PINS_MAX + 49}`), readPins(storage, 'w0', 100).layered.size]).toEqual([false, true, 0])
  })
  it('forgets a node that has not been on the map for two weeks', () => {
    const storage = device('{"w":{"layered":[["r1",0,0,86],["r2",0,0,85]]}}')
    expect([...readPins(storage, 'w', 100).layered.keys()]).toEqual(['r1'])
  })
})

const DAY_MS = 86_400_000
function world(storage = device()) {
  const layout = ref<LayoutName>('layered')
  const workspace = ref('w')
  const view = shallowRef(makeView(makeGraph(network(['a1 r1 t1', 'a1 r2 t1'])), { agents: 'none', hops: 'none', targets: 'none', fold: false, open: new Set() }))
  const failed = vi.fn()
  let now = 100 * DAY_MS
  const scope = effectScope()
  const make = () => scope.run(() => usePins({ workspace, layout, view, live: true, storage, now: () => now, failed }))
  const control = make()
  if (!control)
    throw new Error('no scope')
  return { control, layout, workspace, view, failed, storage, pass: (ms: number) => { now += ms }, stop: () => scope.stop() }
}

describe('pinning', () => {
  it('is of one layout and one workspace', async () => {
    const { control, layout, workspace, storage } = world()
    control.pin([['r1', { x: 0.5, y: 0.5 }]])
    expect(control.drawn.value).toEqual(['r1'])
    layout.value = 'concentric'
    expect(control.drawn.value).toEqual([])
    layout.value = 'layered'
    workspace.value = 'other'
    await nextTick()
    expect(control.drawn.value).toEqual([])
    expect(control.canUndo.value).toBe(false)
    workspace.value = 'w'
    await nextTick()
    expect(control.pins.value.get('r1')).toMatchObject({ x: 0.5, y: 0.5 })
    expect(readPins(storage, 'w', 100).layered.size).toBe(1)
  })
  it('is taken back step by step; steps by keyboard that follow one another are one', () => {
    const { control, pass } = world()
    control.pin([['r1', { x: 0.1, y: 0 }]])
    for (const x of [0.2, 0.3, 0.4]) {
      pass(200)
      control.pin([['r1', { x, y: 0 }]], true)
    }
    pass(5000)
    control.pin([['r1', { x: 0.5, y: 0 }]], true)
    const at = () => control.pins.value.get('r1')?.x
    expect(at()).toBe(0.5)
    control.undo()
    expect(at()).toBe(0.4)
    control.undo()
    expect(at()).toBe(0.1)
    control.undo()
    expect([at(), control.canUndo.value]).toEqual([undefined, false])
    control.undo()
    expect(control.pins.value.size).toBe(0)
  })
  it('is released, one or all, with the way back', () => {
    const { control } = world()
    control.pin([['r1', { x: 0.1, y: 0 }], ['r2', { x: 0.2, y: 0 }]])
    control.release(['r1'])
    expect([...control.pins.value.keys()]).toEqual(['r2'])
    control.undo()
    const back = control.releaseAll()
    expect(control.drawn.value).toEqual([])
    back()
    expect(control.drawn.value.toSorted()).toEqual(['r1', 'r2'])
  })
  it('goes on without a device that keeps it, and says so once', () => {
    const storage = device()
    storage.full = true
    const { control, failed } = world(storage)
    control.pin([['r1', { x: 0.1, y: 0 }]])
    control.pin([['r2', { x: 0.1, y: 0 }]])
    expect(control.drawn.value).toEqual(['r1', 'r2'])
    expect(failed).toHaveBeenCalledTimes(1)
  })
  it('notes the day on which a node was there, also inside a group', async () => {
    const storage = device('{"w":{"layered":[["r1",0,0,95],["gone",0,0,95]]}}')
    const { stop } = world(storage)
    await nextTick()
    expect([...readPins(storage, 'w', 100).layered].map(([key, { day }]) => [key, day])).toEqual([['r1', 100], ['gone', 95]])
    stop()
  })
  it('follows another page of the same browser', () => {
    const storage = device()
    const { control, stop } = world(storage)
    writePins(storage, 'w', { ...noPins(), layered: pinsOf([['r2', 0.7, 0.7, 100]]) })
    window.dispatchEvent(new StorageEvent('storage', { key: PINS_STORED }))
    expect(control.drawn.value).toEqual(['r2'])
    stop()
    writePins(storage, 'w', noPins())
    window.dispatchEvent(new StorageEvent('storage', { key: PINS_STORED }))
    expect(control.drawn.value).toEqual(['r2'])
  })
})
