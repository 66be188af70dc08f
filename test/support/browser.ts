import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import * as path from 'node:path'
import { root } from './run-script.js'

/** What the tests use of a page of playwright-core. */
export interface BrowserPage {
  readonly keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> }
  on(event: string, listener: (what: never) => void): void
  goto(url: string): Promise<unknown>
  // What runs in the page has the page's types, which these tests are not compiled with.
  evaluate<T>(script: string): Promise<T>
  getByRole(role: string, options?: { name?: string | RegExp; exact?: boolean }): Locator
  getByLabel(text: string | RegExp): Locator
  locator(selector: string): Locator
  setViewportSize(size: { width: number; height: number }): Promise<void>
  emulateMedia(media: { colorScheme: 'light' | 'dark' }): Promise<void>
  close(): Promise<void>
}

interface Locator {
  click(): Promise<void>
  fill(text: string): Promise<void>
  focus(): Promise<void>
  count(): Promise<number>
  isVisible(): Promise<boolean>
  isDisabled(): Promise<boolean>
  selectOption(value: string): Promise<unknown>
  textContent(): Promise<string | null>
  allTextContents(): Promise<string[]>
  waitFor(): Promise<void>
}

export interface Browser {
  newPage(options: object): Promise<BrowserPage>
  close(): Promise<void>
}

interface Playwright {
  readonly chromium: { launch(options: object): Promise<Browser> }
}

const executablePath = process.env['TIDEMARK_CHROMIUM'] ?? '/usr/bin/chromium'

/** Starts Chromium; what is missing, when something is. */
export const startBrowser: (() => Promise<Browser>) | string = findBrowser()

function findBrowser(): (() => Promise<Browser>) | string {
  try {
    const { chromium } = createRequire(path.join(root, 'test/peers/package.json'))(
      'playwright-core',
    ) as Playwright
    if (existsSync(executablePath)) return () => chromium.launch({ executablePath, args: ['--no-sandbox'] })
    return skipped(`there is no Chromium at ${executablePath}; TIDEMARK_CHROMIUM may name another`)
  } catch (error) {
    return skipped(`${(error as Error).message.split('\n', 1)[0]} (npm ci --prefix test/peers)`)
  }
}

function skipped(reason: string): string {
  process.stderr.write(`SKIPPED: the dashboard is not tested in a browser: ${reason}.\n`)
  return reason
}
