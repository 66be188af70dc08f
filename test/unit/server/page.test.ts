import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Desk } from '#tidemark/server/doors/desk.js'
import { Page } from '#tidemark/server/doors/page.js'
import type { ServerPackages, WebReply, WebRequest, WebServer } from '#tidemark/server/packages.js'

/** The answer to a browser; `writableLength` is what it has not read. */
class FakeResponse extends EventEmitter {
  writableLength = 0
  readonly events: string[] = []
  isDestroyed = false

  writeHead(): void {}

  write(text: string): void {
    this.events.push(text)
  }

  destroy(): void {
    this.isDestroyed = true
    this.emit('close')
  }
}

const latency = { p50Ms: 0, p90Ms: 0, p99Ms: 0, p999Ms: 0, maxMs: 0 }
const pool = {
  durableLsn: 0,
  stats: () => ({
    shards: [],
    acknowledgementLatency: latency,
    log: { flushLatency: latency },
    checkpoints: {},
  }),
  readers: async () => [],
}
const venue = { pool, symbols: () => [], nowMs: () => 0, lagBytes: () => 0, isReady: true }

function openPages(count: number) {
  let handler: (request: WebRequest, reply: WebReply) => unknown = () => {}
  const web = {
    route: (route: { url: string; handler: typeof handler }) => {
      if (route.url === '/page/events') handler = route.handler
    },
  } as unknown as WebServer
  const cut = { slow: 0, silent: 0, flooding: 0 }
  const page = new Page(web, {
    desk: { venue, limits: { request: () => {} }, isClosing: false, requests: 0 } as unknown as Desk,
    packages: { plotFolder: '' } as ServerPackages,
    cut,
    connections: () => ({ streams: 0, api: 0, pages: page.size }),
  })
  const responses = Array.from({ length: count }, () => {
    const raw = new FakeResponse()
    const reply = { hijack: () => ({ raw }) } as unknown as WebReply
    handler({ url: '/page/events', raw: { socket: {} } } as WebRequest, reply)
    return raw
  })
  return { page, cut, responses }
}

describe('pages that are open', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  it('get what is new twice a second, and one that does not read is cut while the others go on', () => {
    const { page, cut, responses } = openPages(3)
    const [reading, slow, other] = responses as [FakeResponse, FakeResponse, FakeResponse]
    expect(responses.map(({ events }) => events.length)).toEqual([1, 1, 1])
    vi.advanceTimersByTime(500)
    expect(responses.map(({ events }) => events.length)).toEqual([2, 2, 2])
    expect(JSON.parse(reading.events[1]!.slice('data: '.length))).toMatchObject({
      symbol: '',
      market: null,
      health: { connections: { pages: 3 } },
    })
    slow.writableLength = 1 << 20
    other.writableLength = 1 << 19
    vi.advanceTimersByTime(500)
    expect([slow.isDestroyed, cut.slow]).toEqual([false, 0])
    slow.writableLength++
    vi.advanceTimersByTime(500)
    expect([slow.isDestroyed, cut.slow]).toEqual([true, 1])
    expect([page.size, reading.events.length, slow.events.length]).toEqual([2, 4, 3])
    reading.destroy()
    other.destroy()
    expect(vi.getTimerCount()).toBe(0)
  })
})
