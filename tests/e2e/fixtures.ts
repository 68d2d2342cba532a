// What a file of tests has from its first test to its last: called once, at its top.
import type { Browser, BrowserContextOptions } from 'playwright-core'
import type { Watched } from './browser.ts'
import type { Served } from './static.ts'
import { afterAll, beforeAll } from 'vitest'
import { MockController } from '../../panel/tests/mock/server.ts'
import { launch, open } from './browser.ts'
import { servePanel } from './static.ts'

/** There before the first test runs, and not sooner. */
export function there<T>(value: T | undefined): T {
  if (value === undefined)
    throw new Error('asked for before it was there: use it inside of tests')
  return value
}

export interface WithBrowser {
  readonly browser: Browser
}

export function useBrowser(): WithBrowser {
  let browser: Browser | undefined
  beforeAll(async () => { browser = await launch() })
  afterAll(() => browser?.close())
  return { get browser() { return there(browser) } }
}

export interface WithPanel extends WithBrowser {
  readonly base: string
  readonly mock: MockController
  /** A fresh profile on this panel. */
  readonly open: (options?: BrowserContextOptions, expected?: RegExp) => Promise<Watched>
}

/** The built panel with a mock behind it, and a browser. */
export function usePanel(mock: () => MockController = () => new MockController().seed()): WithPanel {
  const chromium = useBrowser()
  let served: Served | undefined
  beforeAll(async () => { served = await servePanel(mock()) })
  afterAll(() => served?.close())
  return {
    get browser() { return chromium.browser },
    get base() { return there(served).base },
    get mock() { return there(served).mock },
    open: (options, expected) => open(chromium.browser, there(served).base, options, expected),
  }
}
