import { describe, expect, it } from 'vitest'
import { connectReplicatedLog, type FollowedChange, promote } from '#tidemark/replication/index.js'
import { MemoryCluster } from '#tidemark/replication/memory/index.js'

describe('a cluster in memory', () => {
  it('is one log for its own thread and for those that connect from others', async () => {
    const cluster = new MemoryCluster()
    const log = cluster.connect('btc')
    const { epoch, endLsn } = await promote(log, {
      owner: 'primary',
      fromLsn: 0,
      segmentEpoch: 7n,
      keep() {},
      sync() {},
      again() {},
    })
    expect(endLsn).toBe(0)
    const remote = await connectReplicatedLog(cluster.engine(), 'btc')
    await remote.append(epoch, { startLsn: 0, bytes: Buffer.alloc(16, 1) })
    const seen: FollowedChange[] = []
    for await (const change of remote.follow(0)) {
      seen.push(change)
      if (change.kind === 'caught-up')
        await log.append(epoch, {
          startLsn: 16,
          bytes: Buffer.alloc(8, 2),
          segmentHeader: Buffer.from('head'),
        })
      if (change.kind === 'entry' && change.entry.endLsn === 24) break
    }
    expect(seen.map(({ kind }) => kind)).toEqual(['epoch', 'holder', 'entry', 'caught-up', 'entry'])
    expect((await log.read(0)).entries.map(({ segmentHeader }) => segmentHeader?.toString())).toEqual([
      undefined,
      'head',
    ])
    await remote.close()
    await expect(remote.epoch()).rejects.toMatchObject({ code: 'TIDEMARK_REPLICATION_CLOSED' })
    await log.close()
    await cluster.close()
  })
})
