import { describe, expect, it } from 'vitest'
import { panned } from './geometry'
import { usePan } from './usePan'

const event = (clientX: number, part: Partial<PointerEvent> = {}) => ({ clientX, shiftKey: true, button: 0, pointerId: 1, preventDefault: () => {}, currentTarget: null, ...part }) as unknown as PointerEvent

describe('shift and drag', () => {
  function pan(now = 10_000) {
    const done: [number, number][] = []
    const moved: number[] = []
    const control = usePan({ secondsPerPixel: () => 2, range: () => [1000, 2000], moved: () => moved.push(control.offset()), done: (a, b) => done.push([a, b]), nowSeconds: () => now })
    return { control, done, moved }
  }
  it('moves the range with the pointer, and changes it when let go', () => {
    const { control, done, moved } = pan()
    control.start(event(100))
    control.move(event(150))
    expect(moved).toEqual([-100])
    control.end(event(160))
    expect(done).toEqual([[880, 1880]])
    expect(control.offset()).toBe(0)
  })
  it('does not go beyond now', () => {
    const { control, done } = pan(2030)
    control.start(event(100))
    control.end(event(0))
    expect(done).toEqual([[1030, 2030]])
  })
  it('leaves a plain drag to the zoom', () => {
    const { control, done, moved } = pan()
    control.start(event(100, { shiftKey: false }))
    control.move(event(150))
    control.end(event(150))
    expect([done, moved]).toEqual([[], []])
  })
  it('takes nothing from a drag that was broken off', () => {
    const { control, done } = pan()
    control.start(event(100))
    control.move(event(150))
    control.cancel()
    control.end(event(150))
    expect(done).toEqual([])
    expect(control.offset()).toBe(0)
  })
  it('keeps the length', () => expect(panned(0, 10, 7, 12)).toEqual([2, 12]))
  it('never pushes a range back that already reaches beyond', () => expect(panned(0, 10, 5, 5)).toEqual([0, 10]))
})
