import { describe, expect, it } from 'vitest'
import { recordBytes } from '#tidemark/log/format/batch.js'
import {
  decodeCommand,
  decodeEvents,
  MatchingEngine,
  RecordBuffer,
  rulesVersion,
} from '#tidemark/matching/index.js'
import { commandRecordType } from '#tidemark/pool/record-type.js'
import { restoreShard, ShardReplay, wordsOf } from '#tidemark/pool/shard/replay.js'
import { SnapshotWriter, validSnapshots } from '#tidemark/pool/snapshot/snapshot-file.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { InlineLog, inlineDirectory, readRecords } from '../support/inline-log.js'
import { logWords } from '../support/log-words.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { NaiveEngine } from '../support/naive-book.js'
import { Random } from '../support/random.js'
import { CopiedPieces } from '../unit/matching/support/copies.js'
import { same } from '../unit/matching/support/paired-books.js'
import {
  Random as CommandRandom,
  encodeInstruments,
  encodeRandomCommand,
  instruments,
} from '../unit/matching/support/random-commands.js'

const count = faultCount('engine', { short: 100, full: 5_000 })
const livesACase = 4
const commandsALifeMax = 400
/** So much may be claimed and not written before a flush: the ring holds more, so that no claim ever waits. */
const unwrittenBytesMax = 32 * 1024

/** What all cases together went through. */
const seen = { cuts: 0, recovered: 0, fromSnapshot: 0, tornTails: 0, rotations: 0, trades: 0 }

/** One after the other, each on the disk that the one before left: what is on it is this case's only memory. */
async function crashAndReopen(seed: number): Promise<void> {
  const random = new Random(seed)
  let disk = new MemoryDisk({ sectorBytes: random.int(2) === 0 ? 512 : 4096 })
  const acknowledged = new Map<number, string>()
  for (let life = 0; life < livesACase; life++) {
    const run = new Life(disk, random, acknowledged, seed * 16 + life)
    const { records, engines } = await run.open()
    // Even an opening may be cut short; it is then judged by the next one.
    if (!run.cut) {
      compare(records, engines, acknowledged)
      await run.work()
    }
    if (run.cut) seen.cuts++
    seen.rotations += run.rotations
    disk = run.cut ?? disk.powerCut(run.survives)
  }
}

interface Recovered {
  readonly records: ReturnType<typeof readRecords>
  readonly engines: MatchingEngine[]
}

/** One opening of the engine and its log, until the power fails or the process dies. */
class Life {
  /** The disk that the next life finds, once it is decided. */
  cut: MemoryDisk | undefined
  readonly survives: () => boolean
  readonly #disk: MemoryDisk
  readonly #random: Random
  readonly #acknowledged: Map<number, string>
  readonly #commands: CommandRandom
  readonly #engines: MatchingEngine[] = []
  readonly #sent = new Map<number, string>()
  #staged: string[] = []
  #log!: InlineLog

  constructor(disk: MemoryDisk, random: Random, acknowledged: Map<number, string>, seed: number) {
    this.#disk = disk
    this.#random = random
    this.#acknowledged = acknowledged
    this.#commands = new CommandRandom(seed)
    // A killed process leaves all that it wrote; a power cut what chance leaves of what was not synced.
    const survival = random.int(3) === 0 ? 1 : random.next()
    this.survives = () => random.next() < survival
    let calls = random.int(random.int(3) === 0 ? 25 : 250)
    disk.beforeCall = () => {
      if (this.cut || calls-- > 0) return
      this.#acknowledge()
      this.cut = disk.powerCut(this.survives)
    }
  }

  get rotations(): number {
    return logWords(this.#log).rotations
  }

  /** Recovers the log and replays it into as many shards as chance wants. */
  async open(): Promise<Recovered> {
    const disk = this.#disk
    const durability = this.#random.int(4) === 0 ? 'unsafeNone' : 'group'
    this.#log = new InlineLog(disk, { segmentBytes: 16 * 1024, durability })
    const { report } = this.#log.recovered
    if (report.tornTail) seen.tornTails++
    const [snapshot] = await validSnapshots(inlineDirectory, disk)
    if (snapshot) {
      expect(snapshot.header.endLsn).toBeLessThanOrEqual(report.endLsn)
      seen.fromSnapshot++
    }
    const shards = 1 + this.#random.int(2)
    for (let shard = 0; shard < shards; shard++) {
      const restored = restoreShard(snapshot, { shard, shards }, disk)
      const fromLsn = snapshot?.header.replayFromLsn ?? report.firstLsn
      const range = { directory: inlineDirectory, shard, shards, fromLsn }
      const replay = new ShardReplay(restored, range, disk)
      replay.to(report.endLsn)
      replay.close()
      this.#engines.push(restored.engine)
    }
    return { records: readRecords(disk, report.firstLsn, report.endLsn), engines: this.#engines }
  }

  /** Executes commands, in pieces and batches as chance wants, until the cut. */
  async work(): Promise<void> {
    const random = this.#random
    const words = new Int32Array(256)
    const buffer = new RecordBuffer()
    const commands = 1 + random.int(commandsALifeMax)
    for (const at of encodeInstruments(words)) this.#execute(words, at, buffer)
    let tag = 0
    const next = () => {
      encodeRandomCommand(words, this.#commands, tag++)
      this.#execute(words, 0, buffer)
    }
    for (let i = 0; i < commands && !this.cut; i++) {
      next()
      if (random.int(4) > 0) this.#publish()
      if (random.int(6) === 0 || this.#log.tail - this.#log.released > unwrittenBytesMax) this.#flush()
      if (random.int(3) === 0) this.#log.preallocator.preallocateOnce()
      if (random.int(60) === 0) this.#log.flusher.writeSyncMarker()
      if (random.int(80) === 0) this.#snapshot(next)
    }
    if (!this.cut && random.int(2) === 0) this.#flush()
  }

  #execute(words: Int32Array, at: number, buffer: RecordBuffer): void {
    buffer.reset()
    const engine = this.#engines[(words[at + 1]! >>> 0) % this.#engines.length]!
    engine.apply(words, at, buffer)
    const bytes = buffer.bytes()
    // The log publishes by itself what no longer fits beside the next record; here the test publishes, so that LSNs are known.
    if (this.#log.producer.stagedBytes + bytes.byteLength + 64 > 4096) this.#publish()
    this.#log.producer.stage(commandRecordType, 0, bytes)
    this.#staged.push(Buffer.from(bytes).toString('latin1'))
  }

  #publish(): number {
    if (this.#log.tail - this.#log.released > unwrittenBytesMax) this.#flush()
    const end = this.#log.producer.publish()
    let lsn = end - this.#staged.reduce((total, payload) => total + recordBytes(payload.length), 0)
    for (const payload of this.#staged) {
      lsn += recordBytes(payload.length)
      this.#sent.set(lsn, payload)
    }
    this.#staged = []
    return end
  }

  #flush(): void {
    this.#log.flusher.flush()
    this.#acknowledge()
  }

  #acknowledge(): void {
    if (this.cut) return
    for (const [lsn, payload] of this.#sent) {
      if (lsn > this.#log.synced) break
      this.#acknowledged.set(lsn, payload)
      this.#sent.delete(lsn)
    }
  }

  /**
   * Each shard at the claim tail, in steps with other commands between them, and the file gets its name only when the synced LSN
   * has passed all of that.
   */
  #snapshot(next: () => void): void {
    const copies = this.#engines.map((engine) => {
      const lsn = this.#publish()
      const copied = new CopiedPieces()
      const copy = engine.copy(copied)
      while (!copy.step(1 + this.#random.int(20)))
        for (let more = this.#random.int(4); more > 0; more--) next()
      return { section: { lsn, ...copy.counts }, copied }
    })
    this.#log.flushAll()
    this.#log.syncTo(this.#log.tail)
    this.#acknowledge()
    if (this.cut) return
    const writer = new SnapshotWriter(inlineDirectory, this.#disk)
    for (const [shard, { copied }] of copies.entries()) {
      for (const { buffer, byteLength } of copied.pieces)
        writer.add(shard, new Uint8Array(buffer, 0, byteLength))
    }
    writer.publish(
      rulesVersion,
      copies.map(({ section }) => section),
    )
  }
}

/** Holds what was recovered against what was acknowledged, and books and events against the naive model. */
function compare(
  records: Recovered['records'],
  engines: readonly MatchingEngine[],
  acknowledged: ReadonlyMap<number, string>,
): void {
  const found = new Map(records.map(({ lsn, payload }) => [lsn, Buffer.from(payload).toString('latin1')]))
  for (const [lsn, payload] of acknowledged)
    if (found.get(lsn) !== payload) throw new Error(`what was acknowledged at LSN ${lsn} is not there`)
  const naive = new NaiveEngine()
  const whole = new MatchingEngine({ hashSeed: 1 })
  const buffer = new RecordBuffer()
  for (const record of records) {
    const words = wordsOf(record)
    const events = decodeEvents(words, 0, words.length)
    const expected = naive.apply(decodeCommand(words, 0)!)
    if (!same(events, expected)) {
      const [was, is] = [JSON.stringify(events), JSON.stringify(expected)]
      throw new Error(`LSN ${record.lsn} holds ${was}; the naive model gives ${is}`)
    }
    if (events.some(({ event }) => event === 'trade')) seen.trades++
    buffer.reset()
    whole.apply(words, 0, buffer)
  }
  if (records.length > 0) seen.recovered++
  for (const { instrumentId } of instruments) {
    const engine = engines[instrumentId % engines.length]!
    if (!same(engine.bookState(instrumentId), naive.bookState(instrumentId)))
      throw new Error(`the book of instrument ${instrumentId} is not that of the naive model`)
    if (engine.digest(instrumentId) !== whole.digest(instrumentId))
      throw new Error(`the digest of instrument ${instrumentId} is not that of a replay of the whole log`)
  }
}

describe('the engine on its log', () => {
  it(`after any crash has every acknowledged command, and the books of a naive replay (${count} cases)`, async () => {
    let cases = 0
    for (const seed of faultCases(count)) {
      try {
        await crashAndReopen(seed)
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error })
      }
      cases++
    }
    // All that could go wrong did come up.
    if (cases >= 100) for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(0)
  }, 3_600_000)
})
