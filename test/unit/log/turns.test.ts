import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { busySliceMs, sliceMs, Turns } from '#tidemark/base/turns.js'
import { FileReader } from '#tidemark/log/read/file-reader.js'
import { takeBytes } from '#tidemark/log/read/live-tail.js'
import { FollowedLog } from '../../support/followed-log.js'
import { inlineDirectory } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'

describe('turns of the event loop', () => {
  /** Turns whose time and loop are stepped by hand. */
  function steppedTurns() {
    let ms = 0
    const next: (() => void)[] = []
    const timers: { turn: () => void; atMs: number }[] = []
    const turns = new Turns(
      () => ms,
      (turn) => void next.push(turn),
      (turn, inMs) => void timers.push({ turn, atMs: ms + inMs }),
    )
    const order: string[] = []
    return {
      order,
      /** Asks for the next piece, of so much time; it is in `order` when it was done. */
      work: async (name: string, workMs = 0, due = false) => {
        await turns.pass(() => due)
        order.push(name)
        ms += workMs
      },
      elapse: (elapsedMs: number) => {
        ms += elapsedMs
      },
      loop: async () => {
        for (const timer of timers.splice(0)) {
          if (timer.atMs <= ms) timer.turn()
          else timers.push(timer)
        }
        for (const turn of next.splice(0)) turn()
        await turn()
      },
    }
  }

  it('give one slice of time to all readers together, and the next one to the reader that has waited longest', async () => {
    const { order, work, loop } = steppedTurns()
    await work('a', sliceMs / 2)
    await work('b', sliceMs / 2)
    for (const name of ['c', 'd', 'e'])
      void work(name, sliceMs / 2).then(() => work(`${name} again`, sliceMs / 2))
    await Promise.resolve()
    expect(order).toEqual(['a', 'b'])
    for (let i = 0; i < 10; i++) await loop()
    expect(order).toEqual(['a', 'b', 'c', 'd', 'e', 'c again', 'd again', 'e again'])
  })

  it('share a slice among all readers that wait, a piece each', async () => {
    const { order, work, loop } = steppedTurns()
    await work('a', sliceMs)
    const pieces = async (name: string) => {
      for (let i = 0; i < 4; i++) await work(name, sliceMs / 8)
    }
    void pieces('b')
    void pieces('c')
    await loop()
    await loop()
    expect(order.join('')).toBe('abcbcbcb')
    await loop()
    expect(order.join('')).toBe('abcbcbcbc')
  })

  it('let the loop go round between two slices, so that timers are due between them', async () => {
    const { order, work, loop } = steppedTurns()
    await work('a', sliceMs)
    void work('b')
    // The slice began while the loop looked for events: what it calls next is still in the same turn.
    await loop()
    expect(order).toEqual(['a'])
    await loop()
    expect(order).toEqual(['a', 'b'])
  })

  it('take at most half of the time while acknowledgements are due', async () => {
    const { order, work, loop, elapse } = steppedTurns()
    await work('a', 3, true)
    void work('b', 0, true)
    for (let i = 0; i < 5; i++) await loop()
    elapse(2.9)
    for (let i = 0; i < 5; i++) await loop()
    expect(order).toEqual(['a'])
    elapse(0.1)
    for (let i = 0; i < 5; i++) await loop()
    expect(order).toEqual(['a', 'b'])
  })

  it('end a slice sooner while acknowledgements are due', async () => {
    const { order, work, loop } = steppedTurns()
    await work('a', busySliceMs, true)
    void work('b', 0, true)
    await loop()
    expect(order).toEqual(['a'])
    const quiet = steppedTurns()
    await quiet.work('a', busySliceMs)
    await quiet.work('b')
    expect(quiet.order).toEqual(['a', 'b'])
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

describe('reading a backlog leaves turns to the event loop', () => {
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
    const following = log.tailer.start(({ startLsn, endLsn }) => {
      perTurn.add(endLsn - startLsn)
      chunkMax = Math.max(chunkMax, endLsn - startLsn)
      read = endLsn
    })
    while (read < log.released) await turn()
    await log.tailer.stop()
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

  it.each([true, false])(
    'and gives it half of the time only while acknowledgements are due: %s',
    async (due) => {
      let ms = 0
      let pauses = 0
      const turns = new Turns(
        () => ms,
        undefined,
        (next, inMs) => {
          pauses++
          ms += inMs
          setImmediate(next)
        },
      )
      const log = new FollowedLog(new MemoryDisk(), { ringBytes, segmentBytes: 4 * ringBytes, turns })
      onTestFinished(() => log.close())
      log.acknowledgementsDue = due
      for (let i = 0; i < 200; i++) log.append(Buffer.alloc(payloadBytes))
      log.flushAll()
      let records = 0
      for await (const _ of log.reader({ to: log.released })) {
        records++
        ms += sliceMs
      }
      expect(records).toBe(200)
      expect(pauses > 0).toBe(due)
    },
  )

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
