import { readFileSync, statSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { EnginePool } from '#tidemark/pool/index.js'
import { type AdminEntry, AdminKeys, VenueServer } from '#tidemark/server/index.js'
import { openVenue, serverModules } from '../support/served-venue.js'
import { temporaryDirectory } from '../support/temporary.js'
import { RestClient } from '../support/venue-client.js'

const limit = {
  symbol: 'BTCUSDT',
  side: 'BUY',
  type: 'LIMIT',
  timeInForce: 'GTC',
  quantity: '0.5',
  price: '60000',
}

type Fields = Record<string, unknown>

/** Asks for an action, or a question; with a key, if there is one. */
function adminOf(url: string, key?: string) {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }
  const read = async (answer: Response) => ({
    status: answer.status,
    body: (await answer.json()) as ReturnType<typeof JSON.parse>,
  })
  return {
    act: async (action: string, fields: Fields = {}, more: Record<string, string> = {}) =>
      read(
        await fetch(`${url}/admin/v1/${action}`, {
          method: 'POST',
          body: JSON.stringify(fields),
          headers: { ...headers, ...more },
        }),
      ),
    ask: async (question: string) => read(await fetch(`${url}/admin/v1/${question}`, { headers })),
  }
}

describe.skipIf(typeof serverModules === 'string')('a venue that is administered', () => {
  it('adds and changes instruments, changes phases, blocks, busts, cancels, and logs who did it', async () => {
    const dir = temporaryDirectory()
    const adminKeys = new AdminKeys(path.join(dir, 'admin-keys.json'))
    const key = adminKeys.create('carol')
    const entries: AdminEntry[] = []
    const { server, alice, bob, pool } = await openVenue(
      { admin: { port: 0, keys: adminKeys.file }, onAdmin: (entry) => void entries.push(entry) },
      { dir },
    )
    const { act, ask } = adminOf(server.adminUrl!, key)
    const rest = new RestClient(server.url)
    const place = async (who: typeof alice, values: Fields) =>
      (await rest.signed('POST', '/order', who, { ...limit, ...values } as never)).body
    const added = {
      symbol: 'SOLUSDT',
      tickSize: '0.01',
      lotSize: '0.1',
      baseAsset: 'SOL',
      quoteAsset: 'USDT',
    }
    expect(await act('add-instrument', added)).toMatchObject({ status: 200, body: { status: 'done' } })
    expect((await rest.get('/depth', { symbol: 'SOLUSDT' })).status).toBe(200)
    expect(await act('change-instrument', { symbol: 'SOLUSDT', minNotional: '5' })).toMatchObject({
      status: 200,
    })
    expect(pool.instrument('SOLUSDT')).toMatchObject({ minNotional: '5' })
    expect((await ask('instruments')).body.map(({ symbol }: { symbol: string }) => symbol)).toEqual([
      'BTCUSDT',
      'ETHUSDT',
      'SOLUSDT',
    ])
    await act('halt', { symbol: 'BTCUSDT', takesOrders: true })
    expect((await rest.get('/exchangeInfo', { symbol: 'BTCUSDT' })).body.symbols[0].status).toBe('HALT')
    await place(alice, {})
    await place(bob, { side: 'SELL', price: '59000' })
    expect(await act('uncross', { symbol: 'BTCUSDT' })).toMatchObject({ status: 200, body: { trades: 1 } })
    expect(await act('uncross', { symbol: 'BTCUSDT' })).toMatchObject({
      status: 400,
      body: { code: 'TIDEMARK_BAD_ARGUMENT' },
    })
    expect(await act('bust', { symbol: 'BTCUSDT', tradeId: 1 })).toMatchObject({ status: 200 })
    expect(await act('bust', { symbol: 'BTCUSDT', tradeId: 1 })).toMatchObject({
      status: 409,
      body: { code: 'TRADE_ALREADY_BUSTED' },
    })
    await place(alice, { price: '50000' })
    expect(await act('block', { account: 1 })).toMatchObject({ status: 200, body: { cancelled: 1 } })
    expect((await ask('blocked-accounts')).body).toEqual([1])
    expect((await place(alice, {})).msg).toBe('This action is disabled on this account.')
    await act('unblock', { account: 1 })
    await place(alice, { price: '50000' })
    expect(await act('cancel-all', { symbol: 'BTCUSDT', everybody: true })).toMatchObject({
      body: { cancelled: 1 },
    })
    expect(await act('phase', { symbol: 'BTCUSDT', phase: 'auction', closing: true })).toMatchObject({
      status: 200,
    })
    expect(await act('checkpoint')).toMatchObject({ status: 200, body: { books: 3 } })
    const copy = path.join(temporaryDirectory(), 'copy')
    expect((await act('backup', { dir: copy })).status).toBe(200)
    const wrong = { faults: { 503: 1 }, latency: 'p50=0', seed: 7 }
    expect(await act('misbehave', wrong)).toEqual({
      status: 200,
      body: {
        latency: { p50: 0 },
        faults: { lost: 0, late: 0, disconnect: 0, 429: 0, 503: 1, gap: 0 },
        lateMs: 2000,
        seed: 7,
        sparedAccounts: [],
      },
    })
    expect((await rest.get('/ping')).status).toBe(503)
    expect(await act('misbehave', { faults: { lost: 2 } })).toMatchObject({
      status: 400,
      body: { code: 'TIDEMARK_SERVER_FAULTS' },
    })
    expect((await rest.get('/ping')).status).toBe(503)
    expect(await act('misbehave')).toEqual({ status: 200, body: {} })
    expect((await rest.get('/ping')).status).toBe(200)
    const opened = await EnginePool.open({ dir: copy })
    expect(opened.instrument('BTCUSDT')?.phase).toBe('auction')
    await opened.close()
    expect(new Set(entries.map(({ who }) => who))).toEqual(new Set(['carol']))
    expect(entries[0]).toMatchObject({
      event: 'admin',
      address: '127.0.0.1',
      action: 'add-instrument',
      fields: added,
      outcome: 'done',
      lsn: expect.any(Number),
    })
    expect(entries.find(({ action, outcome }) => action === 'bust' && outcome === 'refused')).toMatchObject({
      code: 'TRADE_ALREADY_BUSTED',
    })
    expect(entries.map(({ action }) => action)).toEqual([
      'add-instrument',
      'change-instrument',
      'halt',
      'uncross',
      'uncross',
      'bust',
      'bust',
      'block',
      'unblock',
      'cancel-all',
      'phase',
      'checkpoint',
      'backup',
      ...Array(3).fill('misbehave'),
    ])
  })

  it('lets in no request without a key, and no page of a browser, and does nothing that is malformed', async () => {
    const dir = temporaryDirectory()
    const adminKeys = new AdminKeys(path.join(dir, 'admin-keys.json'))
    const entries: AdminEntry[] = []
    const { server, pool, alice } = await openVenue(
      { admin: { port: 0, keys: adminKeys.file }, onAdmin: (entry) => void entries.push(entry) },
      { dir },
    )
    const { commands } = pool.stats()
    const local = adminOf(server.adminUrl!)
    expect((await local.ask('blocked-accounts')).body).toEqual([])
    const block = { account: 1 }
    expect((await local.act('block', block, { origin: 'http://evil.example' })).status).toBe(403)
    for (const [action, fields, status, code] of [
      ['block', { account: -1 }, 400, 'TIDEMARK_FIELD_RANGE'],
      ['block', { account: 1, why: 'x' }, 400, 'TIDEMARK_FIELD_UNKNOWN'],
      ['block', { account: 1, type: 'unblock' }, 400, 'TIDEMARK_BAD_ARGUMENT'],
      ['halt', { symbol: 'BTCUSDT', phase: 'closed' }, 400, 'TIDEMARK_BAD_ARGUMENT'],
      ['phase', { symbol: 'NONE', phase: 'closed' }, 404, 'TIDEMARK_UNKNOWN_SYMBOL'],
      ['cancel-all', {}, 400, undefined],
      ['checkpoint', { now: true }, 400, 'TIDEMARK_BAD_ARGUMENT'],
      ['backup', { dir: 'relative' }, 400, 'TIDEMARK_BAD_ARGUMENT'],
      ['uncross', { symbol: 7 }, 400, 'TIDEMARK_BAD_ARGUMENT'],
      ['nothing', {}, 404, undefined],
    ] as const) {
      const answer = await local.act(action, fields)
      expect(answer.status, action).toBe(status)
      if (code !== undefined) expect(answer.body.code, action).toBe(code)
    }
    expect(pool.stats().commands).toBe(commands)
    // The first key closes it for all that have none.
    const key = adminKeys.create('carol')
    await new Promise((done) => setTimeout(done, 1100))
    expect((await local.act('block', block)).status).toBe(401)
    expect((await adminOf(server.adminUrl!, `${key.slice(1)}x`).act('block', block)).status).toBe(401)
    expect((await adminOf(server.adminUrl!, alice.apiKey).act('block', block)).status).toBe(401)
    expect((await adminOf(server.adminUrl!, key).act('unblock', block)).status).toBe(200)
    const refused = entries.filter(({ action, outcome }) => action === 'block' && outcome === 'refused')
    expect(refused.map(({ who, code }) => `${who} ${code}`)).toEqual([
      'undefined FORBIDDEN',
      'local TIDEMARK_FIELD_RANGE',
      'local TIDEMARK_FIELD_UNKNOWN',
      'local TIDEMARK_BAD_ARGUMENT',
      ...Array(3).fill('undefined UNAUTHORIZED'),
    ])
    // The key does not stand in its file, which only its owner can read.
    expect(readFileSync(adminKeys.file, 'utf8')).not.toContain(key)
    expect(statSync(adminKeys.file).mode & 0o777).toBe(0o600)
    expect(() => adminKeys.create('carol')).toThrow(/has an admin key already/)
    expect(adminKeys.list()).toMatchObject([{ name: 'carol' }])
    adminKeys.revoke('carol')
    expect(() => adminKeys.revoke('carol')).toThrow(/has no admin key/)
  })

  it('is not administered beyond loopback without a key, nor at all unless it is asked for', async () => {
    const dir = temporaryDirectory()
    const pool = await EnginePool.open({ dir })
    const modules = serverModules as Exclude<typeof serverModules, string>
    const options = { pool, keys: `${dir}/keys.json`, modules }
    const keys = `${dir}/admin-keys.json`
    await expect(
      VenueServer.open({ ...options, admin: { port: 0, host: '0.0.0.0', keys } }),
    ).rejects.toMatchObject({ code: 'TIDEMARK_SERVER_OPEN' })
    await expect(
      VenueServer.open({ ...options, admin: { port: 0, keys, key: 'x' } as never }),
    ).rejects.toMatchObject({ code: 'TIDEMARK_BAD_SETTING' })
    const server = await VenueServer.open(options)
    expect(server.adminUrl).toBeUndefined()
    await server.close()
    await pool.close()
  })
})
