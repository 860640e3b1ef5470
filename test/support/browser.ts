import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import axe from 'axe-core'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import type { TestContext } from 'vitest'

const CHROMIUM = '/usr/bin/chromium'
/** Where pictures of pages are kept, for people. */
const PICTURES = join(import.meta.dirname, '../../node_modules/.cache/screenshots')

/** Debian's package `chromium` has it (`npm run test:prepare`). Without it the test is skipped. */
export function needBrowser(context: Pick<TestContext, 'skip'>): void {
  if (!existsSync(CHROMIUM)) context.skip('chromium is not there: npm run test:prepare installs it')
}

/** A page in a browser of its own, and everything that its console complained of, or that it asked of others. */
export class OpenPage implements AsyncDisposable {
  readonly page: Page
  readonly trouble: string[] = []
  readonly #browser: Browser

  private constructor(browser: Browser, page: Page, origin: string) {
    this.#browser = browser
    this.page = page
    page.on('pageerror', (error) => this.trouble.push(error.message))
    page.on('console', (message) => {
      // While the worker is away, every browser says so.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        this.trouble.push(message.text())
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(origin)) this.trouble.push(`asks ${request.url()}`)
    })
  }

  static async at(url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
    const args = ['--no-sandbox', '--disable-dev-shm-usage']
    const browser = await chromium.launch({ executablePath: CHROMIUM, args })
    const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options })
    const open = new OpenPage(browser, await context.newPage(), new URL(url).origin)
    open.page.setDefaultTimeout(20_000)
    await open.page.goto(url)
    return open
  }

  async picture(name: string): Promise<void> {
    mkdirSync(PICTURES, { recursive: true })
    await this.page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true })
  }

  /** What axe has to say against the page as it is, by the rules of WCAG 2.2 AA and its best practices. */
  async barriers(): Promise<string[]> {
    // The policy of the page lets no script in, but for that of tools.
    const found: unknown = await this.page.evaluate(`${axe.source}; axe.run().then(({ violations }) => violations.map(
      ({ help, id, nodes }) => id + ': ' + help + ' ' + nodes.map(({ html }) => html).join(' ')))`)
    return Array.isArray(found) ? found.map(String) : ['axe did not run']
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
  }
}
