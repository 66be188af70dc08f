import * as fs from 'node:fs'
import type { ServerResponse } from 'node:http'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'
import { errors } from '../dialect/api-error.js'
import { levelsJson } from '../dialect/market-json.js'
import type { ServerPackages, WebReply, WebServer } from '../packages.js'
import type { VenueSymbol } from '../venue/venue.js'
import type { Desk } from './desk.js'

const eventMs = 500
/** Pages that may be open at once, and bytes that may wait for one. */
const pagesMax = 100
const queueBytesMax = 1 << 20
const levelsShown = 15
const tradesShown = 20
const candlesShown = 120

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html;charset=UTF-8',
  '.css': 'text/css;charset=UTF-8',
  '.js': 'text/javascript;charset=UTF-8',
}

/** The dashboard at `/`: a page of three files, uPlot, and what it shows as server-sent events. */
export class Page {
  readonly #desk: Desk
  readonly #open = new Set<ServerResponse>()
  #lastCommands = 0
  #lastMs = performance.now()
  #rate = 0

  constructor(web: WebServer, desk: Desk, { plotFolder }: ServerPackages) {
    this.#desk = desk
    // Beside the built files.
    const pageFolder = fileURLToPath(new URL('../../../../page', import.meta.url))
    const files: [route: string, file: string][] = [
      ['/', path.join(pageFolder, 'index.html')],
      ['/page/page.css', path.join(pageFolder, 'page.css')],
      ['/page/page.js', path.join(pageFolder, 'page.js')],
      ['/page/uPlot.iife.min.js', path.join(plotFolder, 'uPlot.iife.min.js')],
      ['/page/uPlot.min.css', path.join(plotFolder, 'uPlot.min.css')],
    ]
    for (const [url, file] of files)
      web.route({ method: 'GET', url, handler: (_, reply) => sendFile(reply, file) })
    web.route({
      method: 'GET',
      url: '/page/events',
      handler: (request, reply) => {
        const at = request.url.indexOf('?')
        const wanted = new URLSearchParams(at < 0 ? '' : request.url.slice(at)).get('symbol')
        this.#stream(reply, wanted ?? undefined)
        return reply
      },
    })
  }

  get size(): number {
    return this.#open.size
  }

  close(): void {
    for (const response of this.#open) response.end()
  }

  #stream(reply: WebReply, wanted: string | undefined): void {
    if (this.#open.size >= pagesMax || this.#desk.isClosing || !this.#desk.venue.isReady) {
      const { status } = errors.busy()
      reply
        .code(status)
        .header('content-type', 'application/json')
        .send(JSON.stringify(errors.busy().toBody()))
      return
    }
    const response = reply.hijack().raw
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    let isFirst = true
    const send = () => {
      if (response.writableLength > queueBytesMax) response.destroy()
      else response.write(`data: ${JSON.stringify(this.#update(wanted, isFirst ? candlesShown : 2))}\n\n`)
      isFirst = false
    }
    const timer = setInterval(send, eventMs)
    this.#open.add(response)
    response.on('error', () => {})
    response.on('close', () => {
      clearInterval(timer)
      this.#open.delete(response)
    })
    send()
  }

  #update(wanted: string | undefined, candles: number): object {
    const { venue } = this.#desk
    const { market } = venue
    const symbols = venue.symbols().filter(({ symbol }) => market.has(symbol))
    const symbol = symbols.find((one) => one.symbol === wanted) ?? symbols[0]
    const shown = { symbols: symbols.map((one) => one.symbol), health: this.#health() }
    if (!symbol) return { ...shown, symbol: '', ticker: {}, bids: [], asks: [], trades: [], candles: [] }
    const { bids, asks } = market.depth(symbol.symbol, levelsShown)
    return {
      ...shown,
      symbol: symbol.symbol,
      ticker: this.#ticker(symbol),
      bids: levelsJson(bids),
      asks: levelsJson(asks),
      trades: market.trades(symbol.symbol, tradesShown).map(({ price, quantity, takerSide, timeUs }) => ({
        price,
        quantity,
        side: takerSide,
        timeMs: Math.floor(timeUs / 1000),
      })),
      candles: market
        .candles(symbol.symbol, '1m', { toMs: venue.nowMs(), limit: candles })
        .map(({ startMs, open, high, low, close }) => [
          startMs / 1000,
          Number(open),
          Number(high),
          Number(low),
          Number(close),
        ]),
    }
  }

  #ticker({ symbol, phase, quoteAsset, baseAsset }: VenueSymbol): object {
    const { market } = this.#desk.venue
    const ticker = market.ticker(symbol, this.#desk.venue.nowMs())
    return {
      Last: ticker.last ?? 'none',
      Change: `${ticker.change} (${ticker.changePercent} %)`,
      High: ticker.high ?? 'none',
      Low: ticker.low ?? 'none',
      Volume: `${ticker.volume} ${baseAsset}`,
      Amount: `${ticker.amount} ${quoteAsset}`,
      Trades: ticker.trades,
      Phase: phase,
    }
  }

  #health(): object {
    const { pool } = this.#desk.venue
    const { commands, trades, inFlight, acknowledgementLatency, log, shards } = pool.stats()
    const nowMs = performance.now()
    if (nowMs - this.#lastMs >= eventMs) {
      this.#rate = ((commands - this.#lastCommands) * 1000) / (nowMs - this.#lastMs)
      this.#lastCommands = commands
      this.#lastMs = nowMs
    }
    const { p50Ms, p99Ms, p999Ms } = acknowledgementLatency
    return {
      Commands: commands,
      'Commands a second': Math.round(this.#rate),
      Trades: trades,
      'In flight': inFlight,
      'Acknowledged in (p50, p99, p99.9)': `${ms(p50Ms)}, ${ms(p99Ms)}, ${ms(p999Ms)} ms`,
      'Durable LSN': pool.durableLsn,
      'Not durable yet': `${log.durableLagBytes} bytes`,
      Flushes: log.flushes,
      'Log ring': `${Math.round(log.ringFill * 100)} %`,
      Shards: shards.length,
      Requests: this.#desk.requests,
    }
  }
}

function ms(value: number): string {
  return value.toFixed(2)
}

function sendFile(reply: WebReply, file: string): WebReply {
  return reply
    .header('content-type', types[path.extname(file)]!)
    .header('content-security-policy', policy)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', 'no-cache')
    .send(fs.readFileSync(file))
}
