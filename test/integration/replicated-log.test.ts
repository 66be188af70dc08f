import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import {
  connectReplicatedLog,
  entryBytesMax,
  etcd,
  type FollowedChange,
  type ReplicatedLog,
  type ReplicationEpoch,
  ReplicationError,
} from '#tidemark/replication/index.js'
import { MemoryCluster } from '#tidemark/replication/memory/index.js'
import { etcdForTests } from '../support/etcd.js'
import { appendEntries, takeLog } from '../support/replicated-logs.js'

/** What every engine must do: the same tests for each. */
interface Engine {
  readonly name: string
  connect(pool: string): Promise<ReplicatedLog>
}

const memory = new MemoryCluster()
const nodes = await etcdForTests()
const engines: Engine[] = [{ name: 'memory', connect: async (pool) => memory.connect(pool) }]
if (nodes) {
  const engine = etcd({ endpoints: nodes.endpoints })
  engines.push({ name: 'etcd', connect: (pool) => connectReplicatedLog(engine, pool) })
}

let pools = 0
const opened: ReplicatedLog[] = []
afterAll(() => Promise.all(opened.map((log) => log.close())))

describe.each(engines)('a replicated log on $name', ({ connect }) => {
  /** The log of a pool that nothing was written to, for two who use it. */
  async function fresh(): Promise<[ReplicatedLog, ReplicatedLog]> {
    const pool = `pool-${++pools}`
    const logs: [ReplicatedLog, ReplicatedLog] = [await connect(pool), await connect(pool)]
    opened.push(...logs)
    return logs
  }

  async function taken(): Promise<{ log: ReplicatedLog; other: ReplicatedLog; epoch: ReplicationEpoch }> {
    const [log, other] = await fresh()
    const { epoch } = await takeLog(log, 'first')
    return { log, other, epoch }
  }

  it('is empty at first', async () => {
    const [log] = await fresh()
    expect(await log.epoch()).toBeUndefined()
    expect(await log.lineage()).toEqual([])
    expect(await log.read(0)).toEqual({ entries: [], endLsn: 0, more: false })
    expect(await log.window()).toEqual({ beginLsn: 0, endLsn: 0, looseBytes: 0 })
    expect(await log.holder()).toBeUndefined()
    expect(await log.standbys()).toEqual([])
  })

  it('holds an entry with its segment header, byte for byte, for all who read', async () => {
    const { log, other, epoch } = await taken()
    const bytes = Buffer.from(Array.from({ length: 4096 }, (_, i) => i % 251))
    await log.append(epoch, { startLsn: 0, bytes, segmentHeader: Buffer.from('the header') })
    const { entries, endLsn, more } = await other.read(0)
    expect({ endLsn, more, count: entries.length }).toEqual({ endLsn: 4096, more: false, count: 1 })
    expect(entries[0]).toMatchObject({ startLsn: 0, endLsn: 4096, epoch: 1 })
    expect(entries[0]!.bytes.equals(bytes)).toBe(true)
    expect(entries[0]!.bytes.byteOffset % 8).toBe(0)
    expect(entries[0]!.segmentHeader?.toString()).toBe('the header')
  })

  it('takes an entry twice, but no other bytes at its place', async () => {
    const { log, other, epoch } = await taken()
    const entry = { startLsn: 0, bytes: Buffer.alloc(64, 1) }
    await log.append(epoch, entry)
    await log.append(epoch, entry)
    await other.append(epoch, entry)
    expect((await log.read(0)).entries).toHaveLength(1)
    const differing = { startLsn: 0, bytes: Buffer.alloc(64, 2) }
    await expect(log.append(epoch, differing)).rejects.toMatchObject({ code: 'TIDEMARK_LOG_DIVERGED' })
    expect((await log.read(0)).entries[0]!.bytes[0]).toBe(1)
  })

  it('counts as replicated only what has no gap before it', async () => {
    const { log, other, epoch } = await taken()
    const bytes = Buffer.alloc(8, 1)
    await log.append(epoch, { startLsn: 16, bytes })
    await log.append(epoch, { startLsn: 0, bytes })
    await log.append(epoch, { startLsn: 32, bytes })
    expect(await other.window()).toEqual({ beginLsn: 0, endLsn: 8, looseBytes: 16 })
    expect(await other.read(0)).toMatchObject({ endLsn: 8, more: false })
    await log.append(epoch, { startLsn: 8, bytes })
    expect(await other.window()).toEqual({ beginLsn: 0, endLsn: 24, looseBytes: 8 })
    expect(await other.read(0)).toMatchObject({ endLsn: 24 })
  })

  it('reads from the entry that holds an LSN', async () => {
    const { log, epoch } = await taken()
    await appendEntries(log, epoch, 0, [64, 64, 64])
    const starts = async (lsn: number) => (await log.read(lsn)).entries.map(({ startLsn }) => startLsn)
    expect(await starts(64)).toEqual([64, 128])
    expect(await starts(72)).toEqual([64, 128])
    expect(await starts(184)).toEqual([128])
    expect(await starts(192)).toEqual([])
    await expect(log.read(200)).rejects.toMatchObject({ code: 'TIDEMARK_LOG_DIVERGED' })
  })

  it('reads many small entries in pages, each once', async () => {
    const { log, epoch } = await taken()
    const endLsn = await appendEntries(log, epoch, 0, Array(60).fill(8))
    for (const maxBytes of [1, 200, 4096]) {
      const seen: number[] = []
      for (let lsn = 0; lsn < endLsn; ) {
        const page = await log.read(lsn, { maxBytes })
        expect(page.entries.length).toBeGreaterThan(0)
        seen.push(...page.entries.map(({ startLsn }) => startLsn))
        expect(page.more).toBe(page.endLsn < endLsn)
        lsn = page.endLsn
      }
      expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => 8 * i))
    }
  })

  it('refuses entries that are empty, no multiple of 8, or too large', async () => {
    const { log, epoch } = await taken()
    for (const [startLsn, length] of [
      [0, 0],
      [0, 12],
      [4, 8],
      [-8, 8],
      [0, entryBytesMax + 8],
    ] as const) {
      const refused = log.append(epoch, { startLsn, bytes: Buffer.alloc(length) })
      await expect(refused).rejects.toMatchObject({ code: 'TIDEMARK_REPLICATION_ENTRY' })
    }
    await log.append(epoch, { startLsn: 0, bytes: Buffer.alloc(entryBytesMax, 1) })
    expect(await log.window()).toMatchObject({ endLsn: entryBytesMax })
  })

  it('refuses everything of an epoch after which another one was taken', async () => {
    const { log, other, epoch } = await taken()
    await log.append(epoch, { startLsn: 0, bytes: Buffer.alloc(8, 1) })
    const second = await takeLog(other, 'second')
    expect(second).toMatchObject({ epoch: { n: 2, owner: 'second' }, endLsn: 8 })
    const refused: [string, () => Promise<unknown>][] = [
      ['append', () => log.append(epoch, { startLsn: 8, bytes: Buffer.alloc(8, 2) })],
      ['append again', () => log.append(epoch, { startLsn: 0, bytes: Buffer.alloc(8, 1) })],
      ['trim', () => log.trim(epoch, 8)],
      ['cut', () => log.cut(epoch, 0)],
      ['putLineage', () => log.putLineage(epoch, { n: 1, segmentEpoch: 7n, firstLsn: 0 })],
      ['hold', () => log.hold(epoch, 2000)],
      ['fence', () => log.fence(epoch, 'third')],
    ]
    for (const [what, call] of refused) {
      const error = await call().then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(error, what).toBeInstanceOf(ReplicationError)
      expect(error, what).toMatchObject({
        code: 'TIDEMARK_FENCED',
        details: { epoch: 1, current: { n: 2, owner: 'second' } },
      })
    }
    expect(await log.window()).toEqual({ beginLsn: 0, endLsn: 8, looseBytes: 0 })
    expect(await log.lineage()).toEqual([
      { n: 1, segmentEpoch: 7n, firstLsn: 0 },
      { n: 2, segmentEpoch: 7n, firstLsn: 8 },
    ])
  })

  it('gives an epoch to exactly one of many at the same moment', async () => {
    const { log, other, epoch } = await taken()
    const attempts = Array.from({ length: 10 }, (_, i) => (i % 2 ? log : other).fence(epoch, `owner-${i}`))
    const outcomes = await Promise.allSettled(attempts)
    const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    expect(won).toHaveLength(1)
    expect(await log.epoch()).toEqual(won[0])
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'TIDEMARK_FENCED' })
    }
  })

  it('deletes what an epoch that ended left after a gap', async () => {
    const { log, other, epoch } = await taken()
    await log.append(epoch, { startLsn: 0, bytes: Buffer.alloc(8, 1) })
    await log.append(epoch, { startLsn: 16, bytes: Buffer.alloc(8, 3) })
    const second = await takeLog(other, 'second')
    expect(second.endLsn).toBe(8)
    expect(await log.window()).toEqual({ beginLsn: 0, endLsn: 8, looseBytes: 0 })
    await other.append(second.epoch, { startLsn: 8, bytes: Buffer.alloc(16, 9) })
    expect((await log.read(8)).entries[0]!.bytes.equals(Buffer.alloc(16, 9))).toBe(true)
  })

  it('keeps one lineage for each epoch', async () => {
    const { log, epoch } = await taken()
    const entry = { n: 1, segmentEpoch: 7n, firstLsn: 0 }
    await log.putLineage(epoch, entry)
    const differing = { ...entry, segmentEpoch: 2n ** 64n - 1n }
    await expect(log.putLineage(epoch, differing)).rejects.toMatchObject({ code: 'TIDEMARK_LOG_DIVERGED' })
    expect(await log.lineage()).toEqual([entry])
  })

  it('begins where it is trimmed to, and says so to who is behind', async () => {
    const { log, other, epoch } = await taken()
    await log.trim(epoch, 1000)
    expect(await other.window()).toEqual({ beginLsn: 1000, endLsn: 1000, looseBytes: 0 })
    await expect(other.read(0)).rejects.toMatchObject({ code: 'TIDEMARK_STANDBY_BEHIND' })
    await appendEntries(log, epoch, 1000, [8, 8, 8, 8])
    await log.trim(epoch, 1020)
    expect(await other.window()).toEqual({ beginLsn: 1016, endLsn: 1032, looseBytes: 0 })
    await log.trim(epoch, 1000)
    expect(await other.window()).toMatchObject({ beginLsn: 1016 })
    await log.trim(epoch, 1032)
    expect(await other.window()).toEqual({ beginLsn: 1024, endLsn: 1032, looseBytes: 0 })
    const refused = { code: 'TIDEMARK_STANDBY_BEHIND', details: { lsn: 1016, beginLsn: 1024 } }
    await expect(other.read(1016)).rejects.toMatchObject(refused)
  })

  it('can be followed: old and new entries in order, each once, and what else happens', async () => {
    const { log, other, epoch } = await taken()
    await appendEntries(log, epoch, 0, Array(40).fill(8))
    const changes = log.follow(16)[Symbol.asyncIterator]()
    const seen: FollowedChange[] = []
    const until = async (holds: (change: FollowedChange) => boolean) => {
      for (;;) {
        const { value } = await changes.next()
        seen.push(value as FollowedChange)
        if (holds(value as FollowedChange)) return
      }
    }
    await until(({ kind }) => kind === 'caught-up')
    await other.append(epoch, { startLsn: 328, bytes: Buffer.alloc(8, 5) })
    await other.append(epoch, { startLsn: 320, bytes: Buffer.alloc(8, 4) })
    await until((change) => change.kind === 'entry' && change.entry.endLsn === 336)
    const lease = await other.hold(epoch, 2000)
    await until((change) => change.kind === 'holder' && change.holder?.owner === 'first')
    await lease.release()
    await until((change) => change.kind === 'holder' && change.holder === undefined)
    expect(await lease.ended).toBeUndefined()
    const second = await takeLog(other, 'second', 336)
    await until((change) => change.kind === 'epoch' && change.epoch.n === 2)
    await other.append(second.epoch, { startLsn: 336, bytes: Buffer.alloc(8, 6) })
    await until((change) => change.kind === 'entry' && change.entry.epoch === 2)
    await changes.return?.()
    const starts = seen.flatMap((change) => (change.kind === 'entry' ? [change.entry.startLsn] : []))
    expect(starts).toEqual(Array.from({ length: 41 }, (_, i) => 16 + 8 * i))
    expect(seen.filter(({ kind }) => kind === 'epoch')).toHaveLength(2)
  })

  it('ends the following with an error when the window has moved beyond it, and without when it is aborted', async () => {
    const { log, epoch } = await taken()
    await appendEntries(log, epoch, 0, [8, 8, 8])
    const late = log.follow(0)[Symbol.asyncIterator]()
    for (let change: FollowedChange | undefined; change?.kind !== 'caught-up'; )
      change = (await late.next()).value as FollowedChange
    // What comes after a gap never gets to it, and the window moves beyond.
    await log.append(epoch, { startLsn: 32, bytes: Buffer.alloc(8, 5) })
    await log.trim(epoch, 32)
    const overtaken = async () => {
      for (;;) await late.next()
    }
    await expect(overtaken()).rejects.toMatchObject({ code: 'TIDEMARK_STANDBY_BEHIND' })
    const tooLate = log.follow(8)[Symbol.asyncIterator]()
    await expect(tooLate.next()).rejects.toMatchObject({ code: 'TIDEMARK_STANDBY_BEHIND' })
    const abort = new AbortController()
    const ended = (async () => {
      for await (const change of log.follow(40, { signal: abort.signal }))
        if (change.kind === 'caught-up') setImmediate(() => abort.abort())
      return 'ended'
    })()
    expect(await ended).toBe('ended')
  })

  it('is followed across trims whose history is compacted', async () => {
    const { log, other, epoch } = await taken()
    await appendEntries(log, epoch, 0, [8])
    const seen: number[] = []
    for await (const change of other.follow(0)) {
      if (change.kind === 'entry') seen.push(change.entry.startLsn)
      if (change.kind !== 'entry') continue
      const { endLsn } = change.entry
      if (endLsn === 160) break
      // The second trim lets the store forget what was before the first one.
      await appendEntries(log, epoch, endLsn, [8])
      await log.trim(epoch, endLsn)
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => 8 * i))
  })

  it('knows standbys by name for as long as they live', async () => {
    const { log, other } = await taken()
    const a = await log.announce('a', 8, 2000)
    const b = await log.announce('b', 16, 2000)
    expect(await other.standbys()).toEqual([
      { name: 'a', lsn: 8 },
      { name: 'b', lsn: 16 },
    ])
    a.report(800)
    a.report(1600)
    await expect
      .poll(async () => (await other.standbys())[0], { timeout: 10_000 })
      .toEqual({ name: 'a', lsn: 1600 })
    await b.release()
    expect(await other.standbys()).toEqual([{ name: 'a', lsn: 1600 }])
    const second = other.announce('a', 0, 500)
    await expect(second).rejects.toMatchObject({ code: 'TIDEMARK_REPLICATION_NAME_IN_USE' })
    await a.release()
    expect(await a.ended).toBeUndefined()
    expect(await other.standbys()).toEqual([])
  })

  it('knows its holder for as long as it renews, and lets an idle one know that it was deposed', async () => {
    const { log, other, epoch } = await taken()
    const lease = await log.hold(epoch, 500)
    await sleep(2500)
    expect(await other.holder()).toEqual({ n: 1, owner: 'first' })
    await other.fence(epoch, 'second')
    expect(await lease.ended).toMatchObject({ code: 'TIDEMARK_FENCED', details: { epoch: 1 } })
    // It is renewed no more, so it ends by itself.
    await expect.poll(() => other.holder(), { timeout: 10_000 }).toBeUndefined()
  })

  it('rejects what is under way when it is closed', async () => {
    const [log] = await fresh()
    const following = (async () => {
      for await (const change of log.follow(0)) if (change.kind === 'caught-up') log.close()
    })()
    await expect(following).rejects.toMatchObject({ code: 'TIDEMARK_REPLICATION_CLOSED' })
    await expect(log.epoch()).rejects.toMatchObject({ code: 'TIDEMARK_REPLICATION_CLOSED' })
    await log.close()
  })

  it('refuses names and times that it cannot use', async () => {
    const [log] = await fresh()
    await expect(log.announce('A B', 0, 2000)).rejects.toMatchObject({ code: 'TIDEMARK_BAD_SETTING' })
    await expect(log.announce('a', 0, 499)).rejects.toMatchObject({ code: 'TIDEMARK_BAD_SETTING' })
    await expect(connect('a/b')).rejects.toMatchObject({ code: 'TIDEMARK_BAD_SETTING' })
  })
})
