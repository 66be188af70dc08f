import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { openAccounts } from '#tidemark/cli/serve/accounts.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { tidemark as execute, root } from '../support/cli.js'
import { runProgram } from '../support/run-script.js'
import { serverModules } from '../support/served-venue.js'
import { ended, serving } from '../support/serving.js'
import { temporaryDirectory } from '../support/temporary.js'
import { RestClient } from '../support/venue-client.js'

const main = path.join(root, 'dist/src/cli/main.js')

const tidemark = (...args: string[]) => execute(args)

describe('tidemark serve key', () => {
  it('makes, lists and revokes keys in a file that only its owner can read', async () => {
    const dir = path.join(temporaryDirectory(), 'venue')
    const made = await tidemark(
      'serve',
      'key',
      'create',
      dir,
      '--account',
      '7',
      '--ip',
      '10.0.0.1',
      '--label',
      'bot',
      '--json',
    )
    expect(made).toMatchObject({ code: 0, stderr: '' })
    const { apiKey, secret } = JSON.parse(made.stdout)
    expect([apiKey.length, secret.length]).toEqual([64, 64])
    expect(statSync(path.join(dir, 'keys.json')).mode & 0o777).toBe(0o600)
    const create = ['serve', 'key', 'create', dir, '--account', '8', '--read-only']
    const second = await runProgram(process.execPath, [main, ...create])
    expect(second.stdout).toMatch(/^API key {2}\w{64}\nSecret {3}\w{64}\n$/)
    const listed = await tidemark('serve', 'key', 'list', dir)
    expect(listed.stdout).toContain(`${apiKey}  account 7  trade  hmac  from 10.0.0.1  bot\n`)
    expect(listed.stdout).not.toContain(secret)
    expect((await tidemark('serve', 'key', 'list', dir, '--json')).stdout).not.toContain(secret)
    expect(await tidemark('serve', 'key', 'revoke', dir, apiKey.slice(0, 10))).toMatchObject({
      code: 0,
      stdout: `Revoked ${apiKey}\n`,
    })
    expect(await tidemark('serve', 'key', 'revoke', dir, apiKey)).toMatchObject({ code: 1 })
    expect((await tidemark('serve', 'key', 'list', dir)).stdout.trim().split('\n')).toHaveLength(1)
    chmodSync(path.join(dir, 'keys.json'), 0o644)
    const refused = await tidemark('serve', 'key', 'list', dir)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/can be read by others/)
    expect(await tidemark('serve', 'key', 'create', dir)).toMatchObject({ code: 2 })
    expect(await tidemark('serve', 'key', 'create', dir, '--account', '-1')).toMatchObject({ code: 2 })
  })
})

describe('tidemark serve', () => {
  it('refuses flags that say what it can not do, before it makes anything', async () => {
    const dir = path.join(temporaryDirectory(), 'venue')
    const wrong = [
      ['--faults', 'loss=1'],
      ['--fault-seed', '2'],
      ['--log-level', 'loud'],
      ['--log-file', 'x'],
    ]
    const results = await Promise.all(wrong.map((flags) => tidemark('serve', dir, ...flags)))
    for (const result of results) expect(result).toMatchObject({ code: 2, stdout: '' })
    expect(results[0]!.stderr).toMatch(/^faults is "loss"; it must be made of lost, late/)
    const nowhere = ['--log-level', 'info', '--log-file', path.join(dir, 'log')]
    const unopened = await tidemark('serve', dir, ...nowhere)
    expect(unopened).toMatchObject({ code: 1, stdout: '' })
    expect(existsSync(dir)).toBe(false)
  })

  it('says which packages it needs, and how they are installed', async () => {
    const dir = temporaryDirectory()
    const result = await runProgram(process.execPath, [main, 'serve', dir, '--port', '0'], {
      cwd: dir,
      environment: { NODE_PATH: '' },
    })
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(
      /^A server needs packages that are not installed: .*fastify.*\. "npm install fastify@5 ws@8 prom-client@15 uplot@1" installs them\.\n$/,
    )
  })

  it.skipIf(typeof serverModules === 'string')(
    'serves a folder, and a copy of it that was made meanwhile; finishes what it took when it is ended',
    async () => {
      const dir = temporaryDirectory()
      const pool = await EnginePool.open({
        dir,
        instruments: [
          { symbol: 'BTCUSDT', tickSize: '0.01', lotSize: '0.00001', baseAsset: 'BTC', quoteAsset: 'USDT' },
        ],
      })
      await pool.close()
      const { stdout } = await tidemark('serve', 'key', 'create', dir, '--account', '1', '--json')
      const key = JSON.parse(stdout)
      const log = path.join(temporaryDirectory(), 'server.log')
      const { child, url } = await serving([dir, '--log-level', 'info', '--log-file', log])
      const rest = new RestClient(url)
      const order = {
        symbol: 'BTCUSDT',
        side: 'BUY',
        type: 'LIMIT',
        timeInForce: 'GTC',
        quantity: '1',
        price: '10',
      }
      expect((await rest.signed('POST', '/order', key, order)).body).toMatchObject({
        orderId: 1,
        status: 'NEW',
      })
      const copy = path.join(temporaryDirectory(), 'copy')
      const branched = await tidemark('serve', 'branch', dir, copy)
      expect(branched).toMatchObject({ code: 0, stderr: '' })
      expect(branched.stdout).toContain(`1 key came along. Serve it: tidemark serve ${copy} --port 8081\n`)
      expect(statSync(path.join(copy, 'keys.json')).mode & 0o777).toBe(0o600)
      expect((await rest.signed('POST', '/order', key, order)).body).toMatchObject({ orderId: 2 })
      expect(await ended(child, 'SIGTERM')).toBe(0)
      const said = (text: string) =>
        text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line).msg)
      expect(said(readFileSync(log, 'utf8'))).toEqual(['listening', 'ready', 'closing', 'closed'])
      const again = await serving([
        copy,
        '--log-level',
        'debug',
        '--faults',
        '503=0.5',
        '--latency',
        'p50=1',
        '--fault-seed',
        '3',
      ])
      const statuses = new Set<number>()
      for (let i = 0; i < 20; i++) {
        const { status, body } = await new RestClient(again.url).signed('GET', '/openOrders', key)
        statuses.add(status)
        if (status === 200) expect(body).toMatchObject([{ orderId: 1 }])
      }
      expect(statuses).toEqual(new Set([200, 503]))
      expect(await ended(again.child, 'SIGINT')).toBe(0)
      expect(said(again.errors)).toContain('request')
      // With accounts of its own; the folder says from then on that it has them.
      const canceled = await EnginePool.open({ dir: copy })
      await canceled.submit({ type: 'cancel-all', account: 1 })
      await canceled.close()
      const accounts = await serving([copy, '--ledger'])
      const { body } = await new RestClient(accounts.url).signed('POST', '/order', key, order)
      expect(body).toEqual({ code: -2010, msg: 'Account has insufficient balance for requested action.' })
      expect(await ended(accounts.child, 'SIGINT')).toBe(0)
      const later = await EnginePool.open({ dir: copy })
      await later.addInstrument({
        symbol: 'TINY',
        tickSize: '0.000001',
        lotSize: '0.00001',
        baseAsset: 'NEW',
        quoteAsset: 'EUR',
      })
      const ledger = await openAccounts(later, copy, { wanted: false })
      expect(ledger!.assets()).toEqual([
        { id: 'BTC', scale: 8 },
        { id: 'USDT', scale: 8 },
        { id: 'NEW', scale: 8 },
        { id: 'EUR', scale: 11 },
      ])
      await later.close()
      const reopened = await EnginePool.open({ dir })
      expect((await reopened.order('BTCUSDT', 2)).order).toMatchObject({ orderId: 2 })
      await reopened.close()
      expect(await tidemark('serve', 'branch', dir, copy)).toMatchObject({ code: 2, stdout: '' })
    },
  )

  it.skipIf(typeof serverModules === 'string')(
    'without a folder serves a demo in which others trade, and leaves no file',
    async () => {
      const temporary = temporaryDirectory()
      const demo = await serving(['--traders', '8'], { environment: { TMPDIR: temporary } })
      const rest = new RestClient(demo.url)
      let traded = 0
      for (const end = Date.now() + 60_000; traded < 3 && Date.now() < end; ) {
        const { body } = await rest.get('/ticker/24hr')
        traded = body.filter(({ count }: { count: number }) => count > 0).length
        await new Promise((done) => setTimeout(done, 100))
      }
      expect(traded).toBe(3)
      const [, apiKey, secret] = /^Account 1 {2}API key (\w{64}) {2}secret (\w{64})$/m.exec(
        demo.lines.join('\n'),
      )!
      const { body } = await rest.signed(
        'POST',
        '/order',
        { apiKey: apiKey!, secret: secret! },
        { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '0.001' },
      )
      expect(['FILLED', 'EXPIRED']).toContain(body.status)
      const account = await rest.signed('GET', '/account', { apiKey: apiKey!, secret: secret! })
      expect(account.body.balances.map(({ asset }: { asset: string }) => asset)).toEqual(
        expect.arrayContaining(['USDT', 'BTC', 'ETH', 'SOL']),
      )
      expect(readdirSync(temporary)).toHaveLength(1)
      expect(await ended(demo.child, 'SIGINT')).toBe(0)
      expect(readdirSync(temporary)).toEqual([])
    },
  )
})
