import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import {
  connectReplicatedLog,
  type EtcdOptions,
  etcd,
  isPassing,
  type ReplicatedLog,
} from '#tidemark/replication/index.js'
import { CertificateAuthority, pemOf } from '../support/certificates.js'
import { etcdForTests } from '../support/etcd.js'
import { appendEntries, takeLog } from '../support/replicated-logs.js'

const dir = mkdtempSync(path.join(tmpdir(), 'tidemark-certificates-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const guarded = await etcdForTests({ nodes: 1, args: ['--auth-token-ttl', '1'] })
const authority = guarded && new CertificateAuthority(dir, 'authority')
const tls = authority && { ...authority.sign('node'), clientCa: authority.ca }
const secure = tls && (await etcdForTests({ nodes: 1, tls }))
const quotaBytes = 4 * 1024 * 1024
const small =
  guarded && (await etcdForTests({ nodes: 1, args: ['--quota-backend-bytes', String(quotaBytes)] }))

const logs: ReplicatedLog[] = []
afterAll(() => Promise.all(logs.map((log) => log.close())))

async function connect(options: EtcdOptions, pool = 'btc'): Promise<ReplicatedLog> {
  const log = await connectReplicatedLog(etcd({ patienceMs: 500, ...options }), pool)
  logs.push(log)
  return log
}

describe.runIf(guarded)('etcd with users', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const node = () => guarded!.nodes[0]!
  const endpoints = () => guarded!.endpoints

  it('lets in a user with a password, and says why it lets in no other', async () => {
    await node().ask('auth/user/add', { name: 'root', password: 'secret of root' })
    await node().ask('auth/user/grant', { user: 'root', role: 'root' })
    await node().ask('auth/role/add', { name: 'btc' })
    await node().ask('auth/role/grant', {
      name: 'btc',
      perm: { permType: 'READWRITE', key: base64('/tidemark/btc/'), range_end: base64('/tidemark/btc0') },
    })
    await node().ask('auth/user/add', { name: 'pool', password: 'secret of pool' })
    await node().ask('auth/user/grant', { user: 'pool', role: 'btc' })
    // A user that is not needed yet does no harm.
    const early = await connect({ endpoints: endpoints(), user: 'pool', password: 'secret of pool' })
    expect(await early.epoch()).toBeUndefined()
    await node().ask('auth/enable', {})

    const log = await connect({ endpoints: endpoints(), user: 'pool', password: 'secret of pool' })
    const { epoch } = await takeLog(log, 'primary')
    expect(await appendEntries(log, epoch, 0, [64, 64])).toBe(128)
    // The one that connected before has no token, and gets one.
    expect(await early.window()).toEqual({ beginLsn: 0, endLsn: 128, looseBytes: 0 })

    const denied = { code: 'TIDEMARK_REPLICATION_DENIED' }
    const wrong = await connect({ endpoints: endpoints(), user: 'pool', password: 'wrong' })
    await expect(wrong.epoch()).rejects.toMatchObject(denied)
    const none = await connect({ endpoints: endpoints() })
    await expect(none.epoch()).rejects.toMatchObject(denied)
    const other = await connect({ endpoints: endpoints(), user: 'pool', password: 'secret of pool' }, 'eth')
    await expect(other.epoch()).rejects.toMatchObject(denied)
    const following = async () => {
      for await (const _change of none.follow(0));
    }
    await expect(following()).rejects.toMatchObject(denied)
  })

  it('renews a token that has become too old', async () => {
    const log = await connect({ endpoints: endpoints(), user: 'pool', password: 'secret of pool' })
    const changes = log.follow(0)[Symbol.asyncIterator]()
    for (let kind: string | undefined; kind !== 'caught-up'; ) kind = (await changes.next()).value?.kind
    const epoch = (await log.epoch())!
    await sleep(3000)
    await Promise.all([log.epoch(), log.window(), log.standbys()])
    await log.append(epoch, { startLsn: 128, bytes: Buffer.alloc(8, 1) })
    expect(await changes.next()).toMatchObject({ value: { kind: 'entry', entry: { startLsn: 128 } } })
    const lease = await log.hold(epoch, 2000)
    await sleep(3000)
    expect(await log.holder()).toMatchObject({ owner: 'primary' })
    await lease.release()
    await changes.return?.()
  })
})

describe.runIf(secure)('etcd with TLS', () => {
  it('is checked with the authority that was given, and checks the client', async () => {
    const endpoints = secure!.endpoints
    const ca = pemOf({ ca: authority!.ca })
    const client = { ...ca, ...pemOf(authority!.sign('client')) }
    const log = await connect({ endpoints, tls: client })
    const { epoch } = await takeLog(log, 'primary')
    expect(await appendEntries(log, epoch, 0, [64, 64])).toBe(128)
    expect((await log.read(0)).entries).toHaveLength(2)

    const unavailable = { code: 'TIDEMARK_REPLICATION_UNAVAILABLE' }
    const withoutAuthority = await connect({ endpoints })
    await expect(withoutAuthority.epoch()).rejects.toMatchObject(unavailable)
    await expect(withoutAuthority.epoch()).rejects.toThrow(/certificate/)
    const withoutCertificate = await connect({ endpoints, tls: ca })
    await expect(withoutCertificate.epoch()).rejects.toMatchObject(unavailable)
    const stranger = new CertificateAuthority(dir, 'stranger').sign('stranger-client')
    const unknown = await connect({ endpoints, tls: { ...ca, ...pemOf(stranger) } })
    await expect(unknown.epoch()).rejects.toMatchObject(unavailable)
  })
})

describe.runIf(small)('etcd whose quota is used up', () => {
  it('refuses entries with an error that says what to do, keeps what it has, and goes on when there is room', async () => {
    const log = await connect({ endpoints: small!.endpoints, patienceMs: 20_000 })
    const { epoch } = await takeLog(log, 'primary')
    const bytes = Buffer.alloc(256 * 1024, 1)
    let endLsn = 0
    const fill = async () => {
      for (; endLsn < 4 * quotaBytes; endLsn += bytes.length)
        await log.append(epoch, { startLsn: endLsn, bytes })
    }
    const error = await fill().catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'TIDEMARK_REPLICATION_FULL' })
    expect(isPassing(error)).toBe(true)
    expect((error as Error).message).toMatch(/quota-backend-bytes.*etcdctl alarm disarm/)
    expect(endLsn).toBeGreaterThan(quotaBytes / 4)
    // The refused one may be there too: etcd took it, its answer was late, and it was sent once more.
    const window = await log.window()
    expect(window).toEqual({ beginLsn: 0, endLsn: window.endLsn, looseBytes: 0 })
    expect([endLsn, endLsn + bytes.length]).toContain(window.endLsn)

    const [node] = small!.nodes
    await node!.kill()
    node!.restart(['--quota-backend-bytes', String(16 * quotaBytes)])
    await small!.ready()
    const { member_id: memberID } = (await node!.status())!.header
    await node!.ask('maintenance/alarm', { action: 'DEACTIVATE', memberID, alarm: 'NOSPACE' })
    await log.append(epoch, { startLsn: endLsn, bytes })
    expect(await log.window()).toMatchObject({ endLsn: endLsn + bytes.length })
  })
})

describe('the options of etcd', () => {
  it.each([
    [{ endpoints: [] }, /endpoints/],
    [{ endpoints: 'ftp://a:1' }, /endpoints/],
    [{ endpoints: 'a:1,https://b:2' }, /https/],
    [{ endpoints: 'a:1', user: 'x' }, /password/],
    [{ endpoints: 'a:1', tls: {} }, /https/],
    [{ endpoints: 'https://a:1', tls: { cert: 'x' } }, /both/],
    [{ endpoints: 'https://a:1', tls: { cacert: 'x' } }, /cacert/],
    [{ endpoints: 'a:1', callTimeoutMs: 99 }, /callTimeoutMs/],
    [{ endpoints: 'a:1', patienceMs: -1 }, /patienceMs/],
    [{ endpoints: 'a:1', pasword: 'x' }, /Did you mean password/],
    [undefined, /object/],
  ])('refuse %j', (options, message) => {
    expect(() => etcd(options as never)).toThrow(message)
    expect(() => etcd(options as never)).toThrow(expect.objectContaining({ code: 'TIDEMARK_BAD_SETTING' }))
  })

  it('may name several nodes in one text', () => {
    expect(etcd({ endpoints: ' http://10.0.0.1:2379, 10.0.0.2:2379/,[::1]:2379' }).name).toBe(
      'etcd at 10.0.0.1:2379, 10.0.0.2:2379, [::1]:2379',
    )
  })
})
