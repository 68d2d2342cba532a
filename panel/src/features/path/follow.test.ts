// How the path keeps up with what is measured.
import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent } from 'vue'
import { MockController } from '../../../tests/mock/server'
import { worldAt } from '../../../tests/unit/world'
import { useFollow, usePath } from './queries'

beforeEach(() => { vi.useFakeTimers() })
afterEach(() => { vi.useRealTimers() })

/** A page that follows a probe whose results come every second; each answer takes so long, and numbers itself. */
async function following(answerMs: number) {
  const world = await worldAt('/w/default/probes/p901', new MockController().seed())
  let asked = 0
  vi.spyOn(globalThis, 'fetch').mockImplementation((_, options) => new Promise((answer, fail) => {
    const runs = asked += 1
    setTimeout(() => answer(Response.json({ runs })), answerMs)
    options?.signal?.addEventListener('abort', () => fail(new DOMException('given up', 'AbortError')))
  }))
  let path: ReturnType<typeof usePath> | undefined
  const host = mount(defineComponent({ setup() {
    const read = path = usePath('default', 'p901', { atMs: null, focusS: 600, beforeMs: null })
    useFollow({ workspace: 'default', topic: 'probe', probe: 'p901' }, () => read.refetch())
    return () => null
  } }), { global: world.global })
  world.connect()
  const id = world.sent.at(-1)?.id
  const pass = async (seconds: number) => {
    for (let s = 0; s < seconds; s += 1) {
      world.say({ type: 'event', id, cursor: `c${s}`, events: [{ type: 'sample', probe: 'p901' }] })
      await vi.advanceTimersByTimeAsync(1000)
      await flushPromises()
    }
  }
  return { host, pass, asked: () => asked, shown: () => path?.data.value?.runs ?? 0 }
}

describe('a followed path', () => {
  it('is read again every two seconds while results come', async () => {
    const { pass, asked, shown } = await following(10)
    await pass(20)
    expect(asked()).toBeGreaterThanOrEqual(9)
    expect(asked()).toBeLessThanOrEqual(12)
    expect(shown()).toBeGreaterThanOrEqual(asked() - 1)
  })
  it('keeps up where an answer takes longer than that', async () => {
    const { pass, asked, shown } = await following(3500)
    await pass(40)
    expect(asked()).toBeLessThanOrEqual(9)
    // The answers came, and the last but the one on its way is what is shown.
    expect(shown()).toBeGreaterThanOrEqual(6)
    expect(shown()).toBeGreaterThanOrEqual(asked() - 1)
  })
  it('asks no more once the page has gone', async () => {
    const { host, pass, asked } = await following(3500)
    await pass(6)
    host.unmount()
    const until = asked()
    await pass(20)
    expect(asked()).toBe(until)
  })
})
