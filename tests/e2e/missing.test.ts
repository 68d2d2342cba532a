// Every page of the built panel while its data is on its way, and when it does not come.
import { describe, expect, it } from 'vitest'
import { MockController } from '../../panel/tests/mock/server.ts'
import { axe, open } from './browser.ts'
import { useBrowser } from './fixtures.ts'
import { PAGES } from './pages.ts'
import { servePanel } from './static.ts'

const chromium = useBrowser()

/** What a page asks for besides who is signed in. */
const DATA = /\/api\/v1\/(?!session$|setup$|kinds$)/

describe.each(['dark', 'light'] as const)('every route while its data is missing, %s', (theme) => {
  it.each([['still loading', 'stalled', '.skeleton'], ['failed', 'failing', '[role=alert]']] as const)('%s', async (_, how, mark) => {
    const own = await servePanel(Object.assign(new MockController().seed(), { [how]: how === 'failing' ? /^\/(?!session$|setup$|kinds$)/ : DATA, failingStatus: 409 }))
    const { context, page } = await open(chromium.browser, own.base, { colorScheme: theme })
    const checked: string[] = []
    for (const [name, path] of Object.entries(PAGES)) {
      await page.goto(own.base + path)
      // Pages without data of their own have nothing to wait for.
      if (['help', 'missing', 'login', 'account'].includes(name))
        continue
      await page.locator(mark).first().waitFor({ timeout: 15_000 }).catch(() => { throw new Error(`${name}: no ${mark}`) })
      expect(await axe(page), `${name} ${how}`).toEqual([])
      checked.push(name)
    }
    expect(checked.length).toBeGreaterThan(14)
    await context.close()
    await own.close()
  })
})
