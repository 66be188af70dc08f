import { readdirSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { encodeCancel, encodeNew, MatchingEngine, RecordBuffer } from '#tidemark/matching/index.js'
import { decisions, decisionWord, writeSnapshot } from '#tidemark/pool/checkpoint/snapshot-thread.js'
import { createInboundMemory, InboundReader } from '#tidemark/pool/shard/inbound-ring.js'
import {
  type CopyRingMemory,
  CopyRingReader,
  CopyRingWriter,
  chunkWords,
  createCopyRing,
  ringStates,
} from '#tidemark/pool/snapshot/copy-ring.js'
import { ShardCopier } from '#tidemark/pool/snapshot/shard-copier.js'
import { temporaryDirectory } from '../../support/temporary.js'
import { encodeInstruments, instruments } from '../matching/support/random-commands.js'

const orders = 30_000
const wordsPerOrder = 16

/** An engine of one book with orders that are not near each other in their levels. */
class Shard {
  readonly engine = new MatchingEngine()
  readonly #record = new RecordBuffer()
  readonly #words = new Int32Array(1024)

  constructor() {
    for (const at of encodeInstruments(this.#words)) this.engine.apply(this.#words, at, this.#record)
    for (let id = 1; id <= orders; id++) this.add(id)
  }

  add(id: number): void {
    encodeNew(this.#words, 0, 0, 0, 0, id, id % 99, 0, 0, 0, 0, 0, 1000 + (id % 5000), 1, 0, 0, 0, 0)
    this.#apply()
  }

  cancel(id: number): void {
    encodeCancel(this.#words, 0, 0, 0, 0, id, -1, 0)
    this.#apply()
  }

  #apply(): void {
    this.#record.reset()
    this.engine.apply(this.#words, 0, this.#record)
  }
}

const newRing = () => createCopyRing(new SharedArrayBuffer(8))

/** Reads what is in the ring, a chunk at most. */
function read(reader: CopyRingReader, pieces: Int32Array[]): boolean {
  const chunk = reader.next()
  if (!chunk) return false
  pieces.push(new Int32Array(Uint8Array.from(chunk).buffer))
  reader.release()
  return true
}

function restored(ring: CopyRingMemory, pieces: readonly Int32Array[]): MatchingEngine {
  const engine = new MatchingEngine()
  const restore = engine.restore(new CopyRingReader(ring).section, () => true)
  for (const piece of pieces) restore.add(piece, piece.length)
  restore.finish()
  engine.verify()
  return engine
}

describe('the copy of a shard on its way to the writer', () => {
  it('waits for free chunks, keeps what commands copy ahead meanwhile, and is whole in the end', () => {
    const shard = new Shard()
    const digest = shard.engine.digest(0)
    const ring = newRing()
    const reader = new CopyRingReader(ring)
    const copier = new ShardCopier(shard.engine, ring, 640)
    const pieces: Int32Array[] = []
    let waits = 0
    let cancelled = 0
    for (;;) {
      if (copier.ready) {
        if (copier.step()) break
        continue
      }
      waits++
      // While nothing is free, more is changed than the ring holds: no command waits.
      for (let i = 0; i < 2500; i++) {
        shard.cancel(orders - cancelled++)
        shard.add(100_000 + cancelled)
      }
      read(reader, pieces)
    }
    while (read(reader, pieces));
    expect(waits).toBeGreaterThan(3)
    expect(reader.state).toBe(ringStates.ended)
    expect(reader.section).toMatchObject({ lsn: 640, books: instruments.length, orders })
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(chunkWords)
    expect(restored(ring, pieces).digest(0)).toBe(digest)
    expect(shard.engine.digest(0)).not.toBe(digest)
    shard.engine.verify()
  })

  it('is given up when more changes than may wait, and then costs nothing any more', () => {
    const shard = new Shard()
    const ring = newRing()
    const copier = new ShardCopier(shard.engine, ring, 640, 2)
    for (let id = 1; id <= orders; id++) shard.cancel(id)
    // All of the ring and two chunks more hold fewer than all orders.
    expect(orders * wordsPerOrder).toBeGreaterThan(6 * chunkWords)
    expect(new CopyRingReader(ring).state).toBe(ringStates.overrun)
    expect(copier.ready).toBe(true)
    expect(copier.step()).toBe(true)
    // The next copy is whole again.
    const nextRing = newRing()
    const next = new ShardCopier(shard.engine, nextRing, 800)
    while (!next.step());
    const pieces: Int32Array[] = []
    while (read(new CopyRingReader(nextRing), pieces) && pieces.length < 1);
    expect(restored(nextRing, pieces).digest(0)).toBe(shard.engine.digest(0))
  })

  it('ends when it is cancelled', () => {
    const shard = new Shard()
    const ring = newRing()
    const copier = new ShardCopier(shard.engine, ring, 640)
    while (copier.ready) expect(copier.step()).toBe(false)
    new CopyRingReader(ring).cancel()
    expect(copier.ready).toBe(true)
    expect(copier.step()).toBe(true)
    expect(new CopyRingReader(ring).state).toBe(ringStates.cancelled)
  })
})

describe('the thread that writes a snapshot', () => {
  it.each([
    ['that cannot be created', '/nowhere/at/all', decisions.publish, 'TIDEMARK_LOG_IO'],
    ['that is given up', '/tmp', decisions.discard, 'TIDEMARK_THREAD_DIED'],
  ])('ends the copies of a file %s, and wakes the shards', async (_, directory, decision, code) => {
    const signal = new SharedArrayBuffer(8)
    new Int32Array(signal)[decisionWord] = decision
    const shards = [0, 1].map(() => ({ ring: createCopyRing(signal), inbound: createInboundMemory(64) }))
    const outcome = await writeSnapshot({ directory, rulesVersion: 1, shards, signal })
    expect(outcome).toMatchObject({ error: { code } })
    for (const { ring, inbound } of shards) {
      expect(new CopyRingReader(ring).state).toBe(ringStates.cancelled)
      // It would sleep for ever otherwise: what it waits for is ready.
      new InboundReader(inbound).sleep({ ready: true })
    }
  })

  /** A snapshot without shards, which is to be published at once. */
  const emptyTask = (directory: string) => {
    const signal = new SharedArrayBuffer(8)
    new Int32Array(signal)[decisionWord] = decisions.publish
    const ring = createCopyRing(signal)
    const writer = new CopyRingWriter(ring)
    writer.announce({ lsn: 640, books: 0, orders: 0, orderNumbers: 1, levelNumbers: 1 })
    writer.end(ringStates.ended)
    return { directory, rulesVersion: 1, shards: [{ ring, inbound: createInboundMemory(64) }], signal }
  }
  const name = `snapshot-${String(640).padStart(20, '0')}.snap`

  it('reports the snapshot that is in place, though the others cannot be looked at after it', async () => {
    const directory = temporaryDirectory()
    const { async } = new NodeDisk()
    const { list } = async
    onTestFinished(() => {
      async.list = list
    })
    async.list = () => Promise.reject(Object.assign(new Error('EMFILE'), { code: 'EMFILE' }))
    const outcome = await writeSnapshot(emptyTask(directory))
    expect(outcome).toMatchObject({
      error: { code: 'TIDEMARK_TOO_MANY_FILES' },
      snapshot: { path: path.join(directory, name), header: { endLsn: 640 } },
    })
    expect(readdirSync(directory)).toEqual([name])
  })

  it('takes no snapshot for one that does not read back as it was written', async () => {
    const directory = temporaryDirectory()
    const { read } = NodeDisk.prototype
    onTestFinished(() => {
      NodeDisk.prototype.read = read
    })
    NodeDisk.prototype.read = async (file, buffer, position) => {
      const bytes = await read.call(new NodeDisk(), file, buffer, position)
      buffer[0]! ^= 1
      return bytes
    }
    expect(await writeSnapshot(emptyTask(directory))).toEqual({
      error: expect.objectContaining({ code: 'TIDEMARK_LOG_CORRUPT' }),
    })
    NodeDisk.prototype.read = read
    expect(await writeSnapshot(emptyTask(directory))).toMatchObject({ snapshot: { header: { endLsn: 640 } } })
  })

  it('reads a snapshot again whose reading failed once, and says what failed when it fails again', async () => {
    const directory = temporaryDirectory()
    const { read } = NodeDisk.prototype
    onTestFinished(() => {
      NodeDisk.prototype.read = read
    })
    let failures = 1
    NodeDisk.prototype.read = async (file, buffer, position) => {
      if (failures-- > 0) throw Object.assign(new Error('i/o error'), { code: 'EIO' })
      return read.call(new NodeDisk(), file, buffer, position)
    }
    expect(await writeSnapshot(emptyTask(directory))).toMatchObject({
      snapshot: { header: { endLsn: 640 } },
      valid: [{ header: { endLsn: 640 } }],
    })
    failures = 1000
    expect(await writeSnapshot(emptyTask(directory))).toEqual({
      error: expect.objectContaining({
        code: 'TIDEMARK_LOG_IO',
        details: expect.objectContaining({ errno: 'EIO' }),
      }),
    })
  })
})
