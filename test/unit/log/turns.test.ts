import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { sliceMs, Turns } from '#tidemark/base/turns.js'
import { FileReader } from '#tidemark/log/read/file-reader.js'
import { takeBytes } from '#tidemark/log/read/live-tail.js'
import { FollowedLog } from '../../support/followed-log.js'
import { inlineDirectory } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'

describe('turns of the event loop', () => {
  /** Turns whose time and loop are stepped by hand. */
  function steppedTurns() {
    let ms = 0
    const due: (() => void)[] = []
    const turns = new Turns(
      () => ms,
      (next) => void due.push(next),
    )
    return {
      turns,
      pass: (elapsedMs: number) => {
        ms += elapsedMs
      },
      loop: async () => {
        for (const next of due.splice(0)) next()
        await undefined
      },
    }
  }

  it('give one slice of time to all who read, and the next one to who has waited longest', async () => {
    const { turns, pass, loop } = steppedTurns()
    const order: string[] = []
    expect(turns.pass()).toBeUndefined()
    pass(sliceMs / 2)
    expect(turns.pass()).toBeUndefined()
    pass(sliceMs / 2)
    for (const name of ['first', 'second', 'third']) turns.pass()?.then(() => order.push(name))
    await Promise.resolve()
    expect(order).toEqual([])
    await loop()
    expect(order).toEqual(['first'])
    // The slice is new, but others wait for theirs.
    turns.pass()?.then(() => order.push('fourth'))
    for (const expected of [2, 3, 4]) {
      await loop()
      expect(order.length).toBe(expected)
    }
    expect(order).toEqual(['first', 'second', 'third', 'fourth'])
    await loop()
    pass(10 * sliceMs)
    expect(turns.pass()).toBeUndefined()
  })
})

/** Turns for whom every piece of work takes longer than a slice. */
function slowTurns(): Turns {
  let ms = 0
  return new Turns(() => (ms += sliceMs))
}

/** The most that was done between two turns of the event loop, and how many turns there were. */
class PerTurn {
  most = 0
  turns = 0
  #now = 0
  #ended = false

  constructor() {
    void this.#count()
    onTestFinished(() => {
      this.#ended = true
    })
  }

  add(bytes: number): void {
    this.#now += bytes
    this.most = Math.max(this.most, this.#now)
  }

  async #count(): Promise<void> {
    while (!this.#ended) {
      this.#now = 0
      this.turns++
      await turn()
    }
  }
}

describe('reading a backlog lets the event loop go on', () => {
  const ringBytes = 2 * 1024 * 1024
  const payloadBytes = 1000
  const followedChunkBytes = 32 * 1024

  function backlog(disk = new MemoryDisk()): FollowedLog {
    const log = new FollowedLog(disk, {
      ringBytes,
      segmentBytes: 4 * ringBytes,
      turns: slowTurns(),
    })
    onTestFinished(() => log.close())
    return log
  }

  it.each(['ring', 'files'])('while the log is followed from the %s', async (source) => {
    const disk = new MemoryDisk()
    const log = backlog(disk)
    // With a place in the ring before anything is there; without one it begins in the files.
    if (source === 'ring') log.flusher.advanceLimit()
    for (let i = 0; i < 800; i++) log.append(Buffer.alloc(payloadBytes))
    log.flushAll()
    disk.calls.length = 0
    const perTurn = new PerTurn()
    let chunkMax = 0
    let read = 0
    const following = log.follower.start(({ startLsn, endLsn }) => {
      perTurn.add(endLsn - startLsn)
      chunkMax = Math.max(chunkMax, endLsn - startLsn)
      read = endLsn
    })
    while (read < log.released) await turn()
    await log.follower.stop()
    await following
    expect(disk.calls.some((call) => call.startsWith('readSync'))).toBe(source === 'files')
    expect(read).toBeGreaterThan(20 * followedChunkBytes)
    expect(chunkMax).toBeLessThanOrEqual(followedChunkBytes + payloadBytes + 64)
    expect(perTurn.most).toBeLessThanOrEqual(2 * chunkMax)
    expect(perTurn.turns).toBeGreaterThan(10)
  })

  it('while readers catch up, each with a piece at a time', async () => {
    const log = backlog()
    for (let i = 0; i < 800; i++) log.append(Buffer.alloc(payloadBytes))
    log.flushAll()
    const perTurn = new PerTurn()
    const to = log.released
    let records = 0
    await Promise.all(
      Array.from({ length: 3 }, async () => {
        for await (const { payload } of log.reader({ to })) {
          perTurn.add(payload.byteLength)
          records++
        }
      }),
    )
    expect(records).toBe(3 * 800)
    expect(perTurn.most).toBeLessThanOrEqual(6 * takeBytes)
    expect(perTurn.turns).toBeGreaterThan(20)
  })

  it('and reads as much at once as before', async () => {
    const disk = new MemoryDisk()
    const log = new FollowedLog(disk, { ringBytes, segmentBytes: 4 * ringBytes })
    onTestFinished(() => log.close())
    for (let i = 0; i < 800; i++) log.append(Buffer.alloc(payloadBytes, i))
    log.flushAll()
    const read = (chunkBytes?: number) => {
      const files = new FileReader(disk, inlineDirectory, 0, { ...(chunkBytes && { chunkBytes }) })
      disk.calls.length = 0
      const chunks: Buffer[] = []
      for (let chunk = files.nextSync(log.released); chunk; chunk = files.nextSync(log.released))
        chunks.push(Buffer.from(chunk.bytes))
      files.close()
      const count = (call: string) => disk.calls.filter((made) => made.startsWith(`${call} `)).length
      const reads = count('readSync') + count('list')
      return { chunks: chunks.length, reads, bytes: Buffer.concat(chunks) }
    }
    const [whole, pieces] = [read(), read(takeBytes)]
    expect(pieces.bytes.equals(whole.bytes)).toBe(true)
    expect(pieces.reads).toBe(whole.reads)
    expect(pieces.chunks).toBeGreaterThan(40)
    expect(pieces.bytes.byteLength).toBe(log.released)
  })
})
