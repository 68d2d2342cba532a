// Every page of the built panel in a real browser: both themes, a phone, a tablet and a desk; axe-core, and nothing too wide.
import type { Watched } from './browser.ts'
import { usePanel } from './fixtures.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MockController } from '../../panel/tests/mock/server.ts'
import { axe, overflow, settled, shot } from './browser.ts'
import { PAGES } from './pages.ts'

const panel = usePanel(() => {
  const mock = new MockController().seed().withPath()
  const [first] = mock.agents
  if (first)
    mock.traces.start({ target: 'svc-3a.example' }, first)
  for (let n = 0; n < 5; n += 1)
    mock.traces.step()
  return mock
})

describe.each(['dark', 'light'] as const)('every route, %s', (theme) => {
  // One profile for all: what the pages share is fetched once.
  let watched: Watched
  beforeAll(async () => { watched = await panel.open({ colorScheme: theme }) })
  afterAll(async () => { await watched?.context.close() })

  const fits = (name: string, width: number) => expect.poll(() => overflow(watched.page), { message: `${name} at ${width} px` }).toBeLessThanOrEqual(0)
  const looksRight = async (name: string, path: string, width: number) => {
    const { page } = watched
    await page.setViewportSize({ width, height: width < 800 ? 844 : 900 })
    await page.goto(panel.base + path)
    await settled(page)
    await shot(page, `${name}-${theme}-${width}`, width === 390)
    await fits(name, width)
    expect(await axe(page), `${name} at ${width} px`).toEqual([])
  }

  it.each(Object.entries(PAGES))('%s', async (name, path) => {
    await looksRight(name, path, 1440)
    // The light theme differs in colours only.
    if (theme === 'dark') {
      await looksRight(name, path, 390)
      // The window of a phone that becomes a tablet's: the page that is there has to fill it.
      await watched.page.setViewportSize({ width: 768, height: 844 })
      await settled(watched.page)
      await fits(name, 768)
    }
    expect(watched.faults.splice(0)).toEqual([])
  })
})
