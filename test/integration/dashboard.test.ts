import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { EnginePool } from '#tidemark/pool/index.js'
import { type ApiKey, KeyStore, type ServerModules, VenueServer } from '#tidemark/server/index.js'
import { type Browser, type BrowserPage, startBrowser } from '../support/browser.js'
import { serverModules } from '../support/served-venue.js'
import { RestClient } from '../support/venue-client.js'

const instruments = ['BTC', 'ETH'].map((baseAsset) => ({
  symbol: `${baseAsset}USDT`,
  tickSize: '0.01',
  lotSize: '0.001',
  baseAsset,
  quoteAsset: 'USDT',
}))
const cannot = typeof startBrowser === 'string' || typeof serverModules === 'string'
const symbol = 'BTCUSDT'
/** After which what the page has yet to show is taken to be missing. */
const patienceMs = 60_000

describe.skipIf(cannot)('the dashboard, in a browser', () => {
  let browser: Browser
  let pool: EnginePool
  let server: VenueServer
  let rest: RestClient
  let page: BrowserPage
  let alice: Required<ApiKey>
  let bob: Required<ApiKey>
  let dir: string
  let keys: string
  /** What a page complains of, and what it loads from elsewhere. */
  const complaints: string[] = []

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'tidemark-test-'))
    keys = path.join(dir, 'keys.json')
    const store = new KeyStore(keys)
    alice = store.create({ account: 1 }) as Required<ApiKey>
    bob = store.create({ account: 2 }) as Required<ApiKey>
    pool = await EnginePool.open({ dir, instruments })
    await serve(0)
    await Promise.all(
      Array.from({ length: 25 }, (_, level) => [
        order(alice, 'BUY', 60_000 - level, 0.01 + level / 1000),
        order(alice, 'SELL', 60_010 + level * 2, 0.02 + level / 1000),
      ]).flat(),
    )
    browser = await (startBrowser as () => Promise<Browser>)()
    page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: 'light' })
    page.on('console', ((message: { type(): string; text(): string }) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    }) as never)
    page.on('pageerror', ((error: Error) => complaints.push(error.message)) as never)
    page.on('request', ((request: { url(): string }) => {
      if (!request.url().startsWith(server.url) && !request.url().startsWith('data:'))
        complaints.push(`loads ${request.url()}`)
    }) as never)
  })

  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await pool?.close()
    rmSync(dir, { recursive: true, force: true })
  })

  async function serve(port: number): Promise<void> {
    server = await VenueServer.open({ pool, keys, port, modules: serverModules as ServerModules })
    rest = new RestClient(server.url)
    await server.ready()
  }

  async function order(key: ApiKey, side: string, price: number, quantity: number): Promise<void> {
    const values = { symbol, side, type: 'LIMIT', timeInForce: 'GTC', price: price.toFixed(2) }
    const { status, body } = await rest.signed('POST', '/order', key as Required<ApiKey>, {
      ...values,
      quantity: quantity.toFixed(3),
    })
    expect(status, JSON.stringify(body)).toBe(200)
  }

  const cellsOf = (table: string) =>
    page.evaluate<string[][]>(
      `[...document.querySelectorAll('#${table} tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))`,
    )
  const figuresOf = async (list: string) =>
    Object.fromEntries(
      await page.evaluate<[string, string][]>(
        `[...document.querySelectorAll('#${list} > div')].map((pair) => [...pair.children].map((part) => part.textContent))`,
      ),
    ) as Record<string, string>
  // The page allows no text to be run as a program, so that playwright's own way to wait does not work on it.
  const holds = async (condition: string) => {
    const came = await page.evaluate<boolean>(
      `new Promise((done) => {
        const endMs = performance.now() + ${patienceMs}
        const look = () => (${condition}) ? done(true) : performance.now() > endMs ? done(false) : setTimeout(look, 20)
        look()
      })`,
    )
    expect(came, condition).toBe(true)
  }
  const textHolds = (id: string, text: string) =>
    holds(`document.getElementById('${id}').textContent.includes(${JSON.stringify(text)})`)

  /** Everything that stands in the page about the symbol, beside what the API says of it. */
  async function expectApiNumbers(): Promise<void> {
    const get = async (route: string, more = {}) => (await rest.get(route, { symbol, ...more })).body
    const depth = await get('/depth')
    const shown = await cellsOf('depth')
    expect(shown).toHaveLength(18)
    expect(shown).toEqual(
      shown.map((_, i) => {
        const [bid, bidSize] = depth.bids[i]
        const [ask, askSize] = depth.asks[i]
        return [bidSize, bid, ask, askSize]
      }),
    )
    const trades = (await get('/trades', { limit: 20 })) as {
      time: number
      isBuyerMaker: boolean
      price: string
      qty: string
    }[]
    expect(await cellsOf('trades')).toEqual(
      trades
        .toReversed()
        .map(({ time, isBuyerMaker, price, qty }) => [
          new Date(time).toISOString().slice(11, 19),
          isBuyerMaker ? '▼ sells' : '▲ buys',
          price,
          qty,
        ]),
    )
    const ticker = await get('/ticker/24hr')
    expect(await figuresOf('ticker')).toMatchObject({
      Last: ticker.lastPrice,
      'High, 24 h': ticker.highPrice,
      'Low, 24 h': ticker.lowPrice,
      'Volume, 24 h, BTC': ticker.volume,
      'Amount, 24 h, USDT': ticker.quoteVolume,
      'Trades, 24 h': String(ticker.count),
    })
    const [, open, high, low, close, volume] = (await get('/klines', { interval: '1d' })).at(-1)
    expect(await page.locator('#candle').textContent()).toContain(
      `open ${open}  high ${high}  low ${low}  close ${close}  volume ${volume}`,
    )
  }

  it('shows the numbers of the API, and those that come after', async () => {
    await order(bob, 'SELL', 60_000, 0.005)
    await page.goto(`${server.url}/?symbol=${symbol}&interval=1d`)
    await textHolds('trades', '60000.00')
    await expectApiNumbers()
    await order(bob, 'BUY', 60_012, 0.03)
    await order(bob, 'SELL', 59_998, 0.009)
    await textHolds('ticker', '59999.00')
    await expectApiNumbers()
    const drawn = `[...document.querySelectorAll('.chart canvas')].map((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
      return new Set(new Uint32Array(data.buffer)).size
    })`
    // Candles, depth and rates: lines, fills and texts, not an empty canvas.
    for (const colors of await page.evaluate<number[]>(drawn)) expect(colors).toBeGreaterThan(5)
    expect(await page.locator('.chart canvas').count()).toBe(3)
    expect(complaints).toEqual([])
  })

  it('shows how the venue does, as the pool says it', async () => {
    // The page shows the venue as it was at its last look: a sync marker or a question since then is on the next.
    await vi.waitFor(
      async () => {
        const { commands, trades, acknowledgementLatency, log, shards } = pool.stats()
        const number = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 1 })
        await holds(
          `document.querySelector('#throughput > div:nth-child(3) dd').textContent === '${number(commands)}'`,
        )
        expect(await figuresOf('throughput')).toMatchObject({
          Commands: number(commands),
          Trades: number(trades),
        })
        const time = (ms: number) => `${ms < 10 ? ms.toFixed(2) : number(ms)} ms`
        expect(await figuresOf('acknowledgement')).toEqual({
          p50: time(acknowledgementLatency.p50Ms),
          p99: time(acknowledgementLatency.p99Ms),
          'p99.9': time(acknowledgementLatency.p999Ms),
          Longest: time(acknowledgementLatency.maxMs),
        })
        expect(await figuresOf('log')).toMatchObject({
          'Durable LSN': number(pool.durableLsn),
          Flushes: number(log.flushes),
          Ring: /% full$/.exec((await figuresOf('log'))['Ring']!)!.input,
        })
        expect(await figuresOf('copies')).toEqual({
          Standbys: 'none: not replicated',
          Store: 'none reads this log',
        })
        expect(await cellsOf('shards')).toEqual([
          ['0', number(shards[0]!.commands), number(shards[0]!.trades), '0', '0 bytes'],
        ])
        expect((await figuresOf('clients'))['Pages']).toBe('1')
      },
      { timeout: patienceMs, interval: 250 },
    )
  })

  it('says at which price gathered orders would trade, and in which phase a symbol is', async () => {
    await pool.submit({ type: 'phase', symbol: 'ETHUSDT', phase: 'pre-open' })
    const at = { type: 'new', symbol: 'ETHUSDT', orderType: 'limit' } as const
    await pool.submit({ ...at, account: 1, side: 'buy', price: '3001.00', quantity: '5.000' })
    await pool.submit({ ...at, account: 2, side: 'sell', price: '3000.00', quantity: '2.000' })
    await page.getByRole('button', { name: 'ETHUSDT' }).click()
    await textHolds('indicative', 'would trade;')
    const { price, quantity, surplus } = await pool.indicative('ETHUSDT')
    expect(await page.locator('#indicative').textContent()).toBe(
      `Indicative price: ${price} USDT, ${quantity} ETH would trade; ${surplus} ETH more to buy.`,
    )
    expect(await page.locator('#phase').textContent()).toContain('pre-open')
    await pool.submit({ type: 'phase', symbol: 'ETHUSDT', phase: 'continuous' })
    await textHolds('phase', 'continuous')
    await holds(`document.getElementById('indicative').hidden`)
    await page.getByRole('button', { name: symbol }).click()
    await textHolds('market-title', symbol)
  })

  it('is used by keyboard alone: a candle is read, an order sent, and what came of it said', async () => {
    await page.goto(`${server.url}/?symbol=${symbol}&interval=1m`)
    await textHolds('market-title', symbol)
    const reached: string[] = []
    const focused = `(() => {
      const { id, name, textContent, tagName } = document.activeElement
      const shown = getComputedStyle(document.activeElement)
      return { what: id || name || textContent, isSeen: shown.outlineStyle !== 'none' || tagName === 'SELECT' }
    })()`
    const tab = async () => {
      await page.keyboard.press('Tab')
      const { what, isSeen } = await page.evaluate<{ what: string; isSeen: boolean }>(focused)
      expect(isSeen, `the focus is not seen at ${what}`).toBe(true)
      reached.push(what)
      return what
    }
    while ((await tab()) !== 'candle-choice') expect(reached.length).toBeLessThan(20)
    expect(reached).toEqual([
      'To the order ticket',
      'BTCUSDT',
      'ETHUSDT',
      '1s',
      '1m',
      '5m',
      '15m',
      '1h',
      '1d',
      'candle-choice',
    ])
    await page.keyboard.press('Home')
    const read = `document.getElementById('candle-choice').getAttribute('aria-valuetext')`
    expect(await page.evaluate(read)).toMatch(/ open [0-9.]+ {2}high .* volume /)
    expect(await page.locator('#candle').textContent()).toBe(await page.evaluate(read))
    expect(await tab()).toBe('apiKey')
    await page.keyboard.type(alice.apiKey)
    await tab()
    await page.keyboard.type('wrong')
    expect(await tab()).toBe('type')
    expect(await tab()).toBe('quantity')
    await page.keyboard.type('0.5')
    expect(await tab()).toBe('price')
    await page.keyboard.type('59000')
    await page.keyboard.press('Enter')
    await textHolds('answer', '-1022')
    await page.getByLabel('Secret').fill(alice.secret)
    await page.getByLabel(/^Price/).focus()
    await page.keyboard.press('Enter')
    await textHolds('answer', 'NEW, 0.000 of 0.500 executed')
    const open = (await rest.signed('GET', '/openOrders', alice, { symbol })).body as { price: string }[]
    expect(open.filter(({ price }) => price === '59000.00')).toHaveLength(1)
    await page.getByLabel('Type').selectOption('MARKET')
    expect(await page.getByLabel(/^Price/).isDisabled()).toBe(true)
    await page.getByLabel(/^Quantity/).fill('0.001')
    await page.getByLabel('Secret').fill(bob.secret)
    await page.getByLabel('API key').fill(bob.apiKey)
    await page.getByRole('button', { name: 'Sell' }).focus()
    await page.keyboard.press('Space')
    await textHolds('answer', 'FILLED, 0.001 of 0.001 executed')
    expect(complaints.splice(0)).toEqual([expect.stringContaining('400 (Bad Request)')])
  })

  it('has names for people who do not see it, and contrast for those who see little', async () => {
    for (const [role, name] of [
      ['navigation', 'Symbols'],
      ['group', 'Length of the candles'],
      ['img', 'Candles'],
      ['slider', 'Candle that is read'],
      ['img', 'Depth, summed'],
      ['img', 'Commands and trades a second, of the last minutes'],
      ['table', /^The best prices/],
      ['table', /^The last trades/],
      ['table', /^What each matching thread/],
      ['textbox', 'API key'],
      ['textbox', 'Secret'],
      ['combobox', 'Type'],
      ['button', 'Buy'],
    ] as const)
      expect(await page.getByRole(role, { name, exact: true }).count(), `${role} ${name}`).toBe(1)
    expect(await page.getByRole('status').count()).toBe(3)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      expect(await page.evaluate(poorContrasts)).toEqual([])
    }
  })

  it('fits a screen of 360 pixels', async () => {
    await page.setViewportSize({ width: 360, height: 740 })
    await holds(`document.querySelector('#candles canvas').clientWidth < 360`)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
    const wide = `[...document.querySelectorAll('body *')].filter((one) =>
      one.getBoundingClientRect().right > 360 && !one.closest('.skip')).map((one) => one.outerHTML.slice(0, 80))`
    expect(await page.evaluate(wide)).toEqual([])
    const cut = `[...document.querySelectorAll('td, th, dd, dt, button')].filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent)`
    expect(await page.evaluate(cut)).toEqual([])
  })

  it('connects again when the server was gone, and goes to another symbol when its own is not there', async () => {
    const port = Number(new URL(server.url).port)
    await server.close()
    await textHolds('state', 'connection lost')
    await serve(port)
    await textHolds('state', 'connected')
    await page.goto(`${server.url}/?symbol=NONE`)
    await textHolds('market-title', symbol)
  })
})

/** Texts whose colour differs too little from what they stand on: below 4.5 to 1, as the guidelines for accessible pages have it. */
const poorContrasts = `(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number)
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255).map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0)
  const back = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor)
      if (color.length === 3 || color[3] > 0) return color
    }
    return [255, 255, 255]
  }
  return [...document.querySelectorAll('body *')]
    .filter((node) => !node.closest('.unseen, [hidden], :disabled') && [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim() !== ''))
    .map((node) => {
      const [one, other] = [light(parse(getComputedStyle(node).color)), light(back(node))].sort((a, b) => b - a)
      return [node.textContent.slice(0, 40), (one + 0.05) / (other + 0.05)]
    })
    .filter(([, ratio]) => ratio < 4.5)
})()`
