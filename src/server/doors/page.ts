import * as fs from 'node:fs'
import type { ServerResponse } from 'node:http'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'
import { errors } from '../dialect/api-error.js'
import { Params, readForm } from '../dialect/params.js'
import { names } from '../operations/operation.js'
import type { ServerPackages, WebReply, WebRequest, WebServer } from '../packages.js'
import type { CutCounts } from './client.js'
import type { Desk } from './desk.js'
import { type Connections, type PageSubject, PageView } from './page-view.js'

const eventMs = 500
/** Pages that may be open at once, and bytes that may wait for one. */
const pagesMax = 100
const queueBytesMax = 1 << 20
/** What opening a page counts for among the weights of its address. */
const openWeight = 2
const eventNames = names('symbol', 'interval')

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html;charset=UTF-8',
  '.css': 'text/css;charset=UTF-8',
  '.js': 'text/javascript;charset=UTF-8',
}

/** The files of the page, beside the built ones. */
const files = [
  'index.html',
  'page.css',
  'page.js',
  'elements.js',
  'market.js',
  'charts.js',
  'health.js',
  'ticket.js',
]
const plotFiles = ['uPlot.iife.min.js', 'uPlot.min.css']

interface PageParts {
  readonly desk: Desk
  readonly packages: ServerPackages
  readonly cut: CutCounts
  readonly connections: Connections
}

/** The dashboard at `/`: a few files, uPlot, and what it shows as server-sent events. */
export class Page {
  readonly #desk: Desk
  readonly #cut: CutCounts
  readonly #view: PageView
  readonly #open = new Map<ServerResponse, { readonly subject: PageSubject; isFirst: boolean }>()
  #timer: NodeJS.Timeout | undefined

  constructor(web: WebServer, { desk, packages, cut, connections }: PageParts) {
    this.#desk = desk
    this.#cut = cut
    this.#view = new PageView(desk, connections)
    const folder = fileURLToPath(new URL('../../../../page', import.meta.url))
    for (const name of files)
      addFile(web, name === 'index.html' ? '/' : `/page/${name}`, path.join(folder, name))
    for (const name of plotFiles) addFile(web, `/page/${name}`, path.join(packages.plotFolder, name))
    web.route({
      method: 'GET',
      url: '/page/events',
      handler: (request, reply) => this.#answer(request, reply),
    })
  }

  get size(): number {
    return this.#open.size
  }

  close(): void {
    clearInterval(this.#timer)
    for (const response of this.#open.keys()) response.end()
  }

  #answer(request: WebRequest, reply: WebReply): WebReply {
    try {
      this.#stream(reply, this.#subjectOf(request))
    } catch (error) {
      const refusal = this.#desk.refusalOf(error)
      reply
        .code(refusal.status)
        .header('content-type', 'application/json;charset=UTF-8')
        .send(JSON.stringify(refusal.toBody()))
    }
    return reply
  }

  #subjectOf(request: WebRequest): PageSubject {
    const { venue, limits, isClosing } = this.#desk
    if (isClosing || venue.failure) throw errors.closing()
    if (!venue.isReady || this.#open.size >= pagesMax) throw errors.busy()
    limits.request(request.raw.socket.remoteAddress ?? '', openWeight, venue.nowMs())
    const at = request.url.indexOf('?')
    const values = new Map<string, string>()
    readForm(at < 0 ? '' : request.url.slice(at + 1), values, true)
    const params = new Params(values)
    params.check(eventNames)
    return this.#view.subject(params.text('symbol'), params.text('interval') ?? '1m')
  }

  #stream(reply: WebReply, subject: PageSubject): void {
    const response = reply.hijack().raw
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    response.on('error', () => {})
    response.on('close', () => {
      this.#open.delete(response)
      if (this.#open.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    })
    this.#open.set(response, { subject, isFirst: true })
    if (this.#open.size === 1) {
      this.#timer = setInterval(() => this.#turn(), eventMs)
      this.#turn()
    } else this.#send(response)
  }

  #turn(): void {
    if (this.#desk.venue.failure) {
      this.close()
      return
    }
    this.#view.refresh([...this.#open.values()].map(({ subject }) => subject))
    for (const response of this.#open.keys()) this.#send(response)
  }

  #send(response: ServerResponse): void {
    const page = this.#open.get(response)!
    if (response.writableLength > queueBytesMax) {
      this.#cut.slow++
      response.destroy()
      return
    }
    response.write(`data: ${this.#view.update(page.subject, page.isFirst)}\n\n`)
    page.isFirst = false
  }
}

function addFile(web: WebServer, url: string, file: string): void {
  web.route({
    method: 'GET',
    url,
    handler: (_, reply) =>
      reply
        .header('content-type', types[path.extname(file)]!)
        .header('content-security-policy', policy)
        .header('x-content-type-options', 'nosniff')
        .header('referrer-policy', 'no-referrer')
        .header('cross-origin-opener-policy', 'same-origin')
        .header('cache-control', 'no-cache')
        .send(fs.readFileSync(file)),
  })
}
