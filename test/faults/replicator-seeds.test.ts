import { describe, expect, it } from 'vitest'
import { Replicator } from '#tidemark/log/replication/replicator.js'
import { logState } from '#tidemark/log/ring/memory.js'
import { wakeReplicator } from '#tidemark/log/ring/signals.js'
import { ContiguousPrefix, type ReplicatedLog, takeOver } from '#tidemark/replication/index.js'
import { MemoryCluster } from '#tidemark/replication/memory/index.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { FaultyNetwork, noFaults } from '../support/faulty-network.js'
import { InlineLog, inlineDirectory } from '../support/inline-log.js'
import { logWords } from '../support/log-words.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { Random } from '../support/random.js'
import { batchesOf, entriesOf } from '../support/replicated-bytes.js'

const seeds = faultCount('replicator-seeds', { short: 15, full: 3000 })

/** What can happen, in any order: one thing in each turn of the event loop. */
class Events {
  readonly #random: Random
  readonly #waiting: (() => void)[] = []
  #over = false

  constructor(random: Random) {
    this.#random = random
    const turn = () => {
      for (let i = 1 + random.int(3); i > 0 && this.#waiting.length > 0; i--) this.#next()
      if (!this.#over) setImmediate(turn)
    }
    turn()
  }

  later(event: () => void): void {
    this.#waiting.push(event)
  }

  stop(): void {
    this.#over = true
  }

  #next(): void {
    const [event] = this.#waiting.splice(this.#random.int(this.#waiting.length), 1)
    event!()
  }
}

/** A log on an engine that knows which appends were answered: only what lies before the first gap of these may be released. */
function watched(log: ReplicatedLog, fromLsn: number): { log: ReplicatedLog; answered: ContiguousPrefix } {
  const answered = new ContiguousPrefix(fromLsn)
  const append: ReplicatedLog['append'] = async (epoch, entry) => {
    const { startLsn, bytes } = entry
    await log.append(epoch, entry)
    answered.add(startLsn, startLsn + bytes.length)
  }
  return {
    log: new Proxy(log, { get: (target, name) => (name === 'append' ? append : bound(target, name)) }),
    answered,
  }
}

function bound(target: ReplicatedLog, name: string | symbol): unknown {
  const value = target[name as keyof ReplicatedLog] as unknown
  return typeof value === 'function' ? value.bind(target) : value
}

describe('a replicator on a network that loses, repeats and reorders', () => {
  it(`releases what has landed without a gap and nothing else, and ships every byte once (${seeds} seeds)`, async () => {
    let lost = 0
    let gaps = 0
    for (const seed of faultCases(seeds)) {
      const random = new Random(seed)
      const events = new Events(random)
      const network = new FaultyNetwork(random, events, noFaults)
      const cluster = new MemoryCluster({ network, patienceMs: 0 })
      const disk = new MemoryDisk()
      const inline = new InlineLog(disk, { replicated: true, segmentBytes: 16 * 1024 })
      const words = logWords(inline)
      const connected = cluster.connect('a')
      const epoch = await takeOver(connected, 'primary', undefined, () => {})
      const { log, answered } = watched(connected, 0)
      const { header } = inline.recovered.active
      network.faults = {
        loseRequest: random.next() / 4,
        loseReply: random.next() / 4,
        duplicate: random.next() / 3,
        impatience: random.next() / 10,
        endWatch: 0,
      }
      const replicator = new Replicator({
        memory: inline.memory,
        disk,
        directory: inlineDirectory,
        log,
        epoch,
        fromLsn: 0,
        windowFirstLsn: 0,
        lineage: { n: epoch.n, segmentEpoch: header.epoch, firstLsn: 0 },
        isNew: true,
        entryBytes: 4096,
        inFlight: 1 + random.int(8),
        windowBytes: 1 << 30,
        leaseMs: 60_000,
        closeMs: 60_000,
        retryMs: 1,
        report: { replicated() {}, stalled() {}, resumed() {}, standbys() {}, incomplete() {} },
      })
      const running = replicator.run()
      for (let i = 0; i < 80; i++) {
        inline.producer.tryAppend(1, 0, random.bytes(random.int(1200)))
        if (random.int(3) === 0) {
          inline.flusher.flush()
          inline.flusher.advanceLimit()
        }
        await new Promise((resolve) => setImmediate(resolve))
        if (inline.released > answered.endLsn)
          expect.fail(`seed ${seed}: ${inline.released} is released, ${answered.endLsn} has landed`)
        if (answered.endLsn < inline.synced) gaps++
      }
      while (inline.synced < inline.tail) {
        inline.flusher.flush()
        await new Promise((resolve) => setImmediate(resolve))
      }
      words.state = logState.closed
      wakeReplicator(new Int32Array(inline.memory.control))
      await running
      expect(inline.released, `seed ${seed}`).toBe(inline.synced)
      network.faults = noFaults
      const entries = await entriesOf(connected)
      const shipped = Buffer.concat(entries.map(({ bytes }) => bytes))
      expect(shipped.equals(batchesOf(disk, inlineDirectory, inline.synced)), `seed ${seed}`).toBe(true)
      lost += network.counts.lostRequests + network.counts.lostReplies
      await connected.close()
      events.stop()
      await cluster.close()
    }
    expect(lost).toBeGreaterThan(seeds)
    expect(gaps).toBeGreaterThan(seeds)
  })
})
