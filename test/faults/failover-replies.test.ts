import { describe, expect, it } from 'vitest'
import type { Clock } from '#tidemark/base/clock.js'
import { promote, type ReplicatedLog, type ReplicationEpoch, takeOver } from '#tidemark/replication/index.js'
import { MemoryCluster, type MemoryNetwork } from '#tidemark/replication/memory/index.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { noAnswer } from '../support/faulty-network.js'
import { appendEntries } from '../support/replicated-logs.js'

/** Loses the request or the reply of chosen calls, counted from 1. */
class LosingNetwork implements MemoryNetwork {
  calls = 0
  lost = 0
  readonly #isLost: (call: number) => 'request' | 'reply' | undefined

  constructor(isLost: (call: number) => 'request' | 'reply' | undefined) {
    this.#isLost = isLost
  }

  async call<T>(_client: string, deliver: () => T): Promise<T> {
    const lost = this.#isLost(++this.calls)
    if (lost !== undefined) this.lost++
    if (lost === 'request') throw noAnswer()
    const value = deliver()
    if (lost === 'reply') throw noAnswer()
    return value
  }

  watch: MemoryNetwork['watch'] = (_client, sink) => sink
}

/** Every delay is over at once. */
const timeless: Clock = {
  nowMs: () => 0,
  wallMs: () => 0,
  after(_delayMs, call) {
    const timer = setImmediate(call)
    return () => clearImmediate(timer)
  },
}

describe('a takeover or an append whose request or reply is lost', () => {
  it('leaves one epoch, one lineage, no gap and no duplicate, at each call of a life and at each pair of them', async () => {
    const plain = new LosingNetwork(() => undefined)
    expect(await life(plain)).toBe(64)
    // Each call once, and pairs of calls that follow each other: the repetition is lost as well.
    const cases = plain.calls * 2 * 3
    const count = faultCount('lost-replies', { short: 200, full: 200 })
    expect(cases).toBeLessThanOrEqual(count)
    let lost = 0
    for (const number of faultCases(Math.min(count, cases))) {
      const first = 1 + Math.floor(number / 6)
      const how = number % 2 === 0 ? 'request' : 'reply'
      const length = 1 + (Math.floor(number / 2) % 3)
      const network = new LosingNetwork((call) => (call >= first && call < first + length ? how : undefined))
      expect(await life(network), `${how} of call ${first} and the ${length - 1} after it`).toBe(64)
      lost += network.lost
    }
    expect(lost).toBeGreaterThan(cases / 2)
  })

  it('is the owner’s epoch when it was taken by the attempt that got no answer', async () => {
    const network = new LosingNetwork((call) => (call === 2 ? 'reply' : undefined))
    const log = new MemoryCluster({ network, patienceMs: 0 }).connect('btc')
    const epoch = await takeOver(log, 'me', undefined, () => {})
    expect(epoch).toEqual(await log.epoch())
    expect(epoch).toMatchObject({ n: 1, owner: 'me' })
    expect(network.lost).toBe(1)
  })
})

describe('a request that arrives when its repetition has long been answered', () => {
  it.each([
    ['trim', (log: ReplicatedLog, epoch: ReplicationEpoch) => log.trim(epoch, 8)],
    ['cut', (log: ReplicatedLog, epoch: ReplicationEpoch) => log.cut(epoch, 24)],
  ] as const)('changes nothing: %s', async (_name, call) => {
    const late: (() => unknown)[] = []
    let isLate = false
    const network: MemoryNetwork = {
      call: async (_client, deliver) => {
        if (!isLate) return deliver()
        late.push(deliver)
        throw noAnswer()
      },
      watch: (_client, sink) => sink,
    }
    const log = new MemoryCluster({ network, patienceMs: 0 }).connect('btc')
    const steps = { owner: 'me', fromLsn: 0, segmentEpoch: 7n, keep() {}, sync() {}, again() {} }
    const { epoch } = await promote(log, steps)
    await appendEntries(log, epoch, 0, [8, 8, 8])
    // The first call reads, and its second one is held up on its way.
    let calls = 0
    const original = network.call
    network.call = ((client: string, deliver: () => unknown) => {
      isLate = ++calls === 2
      return original(client, deliver)
    }) as MemoryNetwork['call']
    await expect(call(log, epoch)).rejects.toMatchObject({ code: 'TIDEMARK_REPLICATION_UNAVAILABLE' })
    await call(log, epoch)
    expect(late).toHaveLength(1)
    await appendEntries(log, epoch, 24, [8, 8, 8])
    await log.trim(epoch, 32)
    late[0]!()
    expect(await log.window()).toEqual({ beginLsn: 32, endLsn: 48, looseBytes: 0 })
  })
})

/** Two primaries after each other append four entries each; returns where the log ends. */
async function life(network: MemoryNetwork): Promise<number> {
  const log = new MemoryCluster({ network, patienceMs: 1000, clock: timeless }).connect('btc')
  let endLsn = 0
  for (const owner of ['first', 'second']) {
    const steps = { owner, fromLsn: endLsn, segmentEpoch: 7n, keep() {}, sync() {}, again() {} }
    const promotion = await promote(log, steps)
    expect(promotion).toMatchObject({ endLsn, epoch: { owner } })
    endLsn = await appendEntries(log, promotion.epoch, endLsn, [8, 8, 8, 8])
  }
  const { entries } = await log.read(0)
  expect(entries.map(({ startLsn }) => startLsn)).toEqual([0, 8, 16, 24, 32, 40, 48, 56])
  expect((await log.lineage()).map(({ n }) => n)).toEqual([1, 2])
  return endLsn
}
