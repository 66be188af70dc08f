import { existsSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EnginePool } from '#tidemark/pool/index.js'
import { AdminKeys, openLogger, type ServerLogger, VenueServer } from '#tidemark/server/index.js'
import { root } from '../support/run-script.js'
import { openVenue, serverModules } from '../support/served-venue.js'
import { temporaryDirectory } from '../support/temporary.js'
import { collectUncaught } from '../support/uncaught.js'
import { RestClient, SocketClient } from '../support/venue-client.js'

const peers = createRequire(path.join(root, 'test/peers/package.json'))
const order = {
  symbol: 'BTCUSDT',
  side: 'BUY',
  type: 'LIMIT',
  timeInForce: 'GTC',
  quantity: '1',
  price: '100',
}

describe.skipIf(typeof serverModules === 'string')('the log of a server', () => {
  it('has a line of JSON for each thing that happens, and no key, secret, signature or listen key', async () => {
    const dir = temporaryDirectory()
    const file = path.join(dir, 'server.log')
    const adminFile = path.join(dir, 'admin-keys.json')
    const adminKey = new AdminKeys(adminFile).create('carol')
    const logger = openLogger({ level: 'debug', file, pino: peers('pino') })
    const broken = () => {
      throw new Error('No balances today.')
    }
    const { server, alice } = await openVenue({
      logger,
      admin: { port: 0, keys: adminFile },
      balances: { of: broken },
      messagesPerSecond: 20,
    })
    const rest = new RestClient(server.url)
    const secrets = [alice.apiKey, alice.secret, adminKey]

    expect((await rest.signed('POST', '/order', alice, order)).status).toBe(200)
    const forged = { ...alice, secret: 'x' }
    expect((await rest.signed('POST', '/order', forged, order)).body).toMatchObject({ code: -1022 })
    expect((await rest.signed('GET', '/account', alice)).body).toMatchObject({ code: -1000 })
    const header = { 'x-mbx-apikey': alice.apiKey }
    const { listenKey } = (await rest.send('POST', '/userDataStream', '', '', header)).body
    secrets.push(listenKey)
    await rest.send('PUT', '/userDataStream', `listenKey=${listenKey}`, '', header)
    await rest.send('DELETE', '/userDataStream', `listenKey=x${listenKey}`, '', header)
    const user = await SocketClient.open(server.url, `/ws/${listenKey}`)
    const api = await SocketClient.open(server.url, '/ws-api/v3')
    await api.request('session.logon', {}, alice)
    await api.request('order.place', { ...order, price: '101' })
    await api.request('order.place', { ...order, symbol: 'NONE' }, alice)
    for (const token of [adminKey, `${adminKey}x`]) {
      const answer = await fetch(`${server.adminUrl}/admin/v1/halt`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ symbol: 'ETHUSDT' }),
      })
      expect(answer.status).toBe(token === adminKey ? 200 : 401)
    }
    for (let i = 0; i < 30; i++) api.socket.send('{}')
    await api.whenClosed()
    user.close()
    await user.whenClosed()
    const { url } = server
    await server.close()
    await logger.close()

    expect(statSync(file).mode & 0o777).toBe(0o600)
    const text = readFileSync(file, 'utf8')
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(40)
      expect(text).not.toContain(secret)
    }
    // Nor a signature.
    expect(text).not.toMatch(/[0-9a-f]{64}/)
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const find = (fields: object) => expect(lines).toContainEqual(expect.objectContaining(fields))
    find({ level: 'info', msg: 'listening', url, time: expect.any(String) })
    find({ level: 'info', msg: 'ready' })
    const mine = { address: '127.0.0.1', account: 1 }
    find({ level: 'debug', msg: 'request', method: 'order.place', ...mine, elapsedMs: expect.any(Number) })
    find({ level: 'debug', msg: 'request', method: 'session.logon', ...mine })
    find({ level: 'info', msg: 'refused', method: 'order.place', code: -1022, status: 400 })
    find({ level: 'info', msg: 'refused', method: 'order.place', code: -1121, ...mine })
    find({ level: 'info', msg: 'refused', method: 'userDataStream.stop', code: -1125, ...mine })
    find({ level: 'info', msg: 'refused', method: 'account.status', code: -1000, status: 500 })
    const failure = expect.objectContaining({ message: 'No balances today.', stack: expect.any(String) })
    find({ level: 'error', msg: 'failed', error: failure })
    find({ level: 'info', msg: 'connected', door: 'ws', address: '127.0.0.1' })
    find({ level: 'info', msg: 'disconnected', door: 'ws' })
    find({ level: 'warn', msg: 'cut', door: 'api', why: 'flooding' })
    find({ level: 'info', msg: 'administered', who: 'carol', action: 'halt', outcome: 'done' })
    find({ level: 'info', msg: 'administered', action: 'halt', outcome: 'refused', code: 'UNAUTHORIZED' })
    expect(lines.slice(-2).map(({ msg }) => msg)).toEqual(['closing', 'closed'])
  })

  it('that throws changes nothing for who asks: an order that was placed is answered as placed', async () => {
    const uncaught = collectUncaught()
    const failure = new Error('No log today.')
    const fail = () => {
      throw failure
    }
    const logger = { isLevelEnabled: fail, debug: fail, info: fail, warn: fail, error: fail }
    const { server, alice } = await openVenue({ logger })
    const rest = new RestClient(server.url)
    expect(await rest.signed('POST', '/order', alice, order)).toMatchObject({ status: 200 })
    expect(await rest.signed('POST', '/order', alice, { ...order, symbol: 'NONE' })).toMatchObject({
      status: 400,
      body: { code: -1121 },
    })
    await server.close()
    expect(new Set(uncaught)).toEqual(new Set([failure]))
  })

  it('leaves out what is below its level, and adds to its file', async () => {
    const file = path.join(temporaryDirectory(), 'server.log')
    for (const level of ['warn', 'error'] as const) {
      const logger = openLogger({ level, file, pino: peers('pino') })
      logger.debug({}, 'debugged')
      logger.info({}, 'informed')
      logger.warn({}, `warned at ${level}`)
      logger.error({}, `failed at ${level}`)
      expect(logger.isLevelEnabled('info')).toBe(false)
      await logger.close()
    }
    const messages = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).msg)
    expect(messages).toEqual(['warned at warn', 'failed at warn', 'failed at error'])
  })

  it('is refused with what it can not be opened with', async () => {
    const folder = temporaryDirectory()
    const open = (options: object) => () => openLogger(options as never)
    const bad = expect.objectContaining({ code: 'TIDEMARK_BAD_SETTING' })
    expect(open({ level: 'loud' })).toThrow(bad)
    expect(open({ level: 'info', fil: 'x' })).toThrow(bad)
    expect(open({ level: 'info', file: folder, pino: peers('pino') })).toThrow(bad)
    // Where the tests run pino is not installed.
    expect(open({ level: 'info', file: path.join(folder, 'log') })).toThrow(
      expect.objectContaining({
        code: 'TIDEMARK_SERVER_PACKAGE_MISSING',
        message: expect.stringContaining('pino. "npm install pino@10" installs it.'),
      }),
    )
    expect(existsSync(path.join(folder, 'log'))).toBe(false)
    for (const logger of [null, {}, { debug() {} }] as unknown as ServerLogger[])
      await expect(VenueServer.open({ pool: {} as EnginePool, keys: 'x', logger })).rejects.toEqual(bad)
  })
})
