import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createSpscControl, SpscReader, SpscWriter, spscCapacity } from '#tidemark/base/spsc-ring.js'
import { InboundWriter } from '#tidemark/pool/shard/inbound-ring.js'

/** The word of the control block that is 1 while the reader sleeps. */
const asleepWord = 384 >> 2

class Writer extends SpscWriter {
  put(units: number): void {
    this.publish(units)
  }
}

class Reader extends SpscReader {
  get has(): boolean {
    return this.some
  }

  get(units: number): void {
    this.take(units)
  }
}

function ring(units: number) {
  const control = createSpscControl(units)
  return { writer: new Writer(control), reader: new Reader(control), control }
}

describe('a ring with one writer and one reader', () => {
  it('has room for what was asked for, rounded up to a power of two', () => {
    expect([1, 3, 4, 1000].map((units) => spscCapacity(createSpscControl(units)))).toEqual([1, 4, 4, 1024])
  })

  it('has room again for what was taken only when it is released', () => {
    const { writer, reader } = ring(4)
    expect(writer.fits(4)).toBe(true)
    writer.put(4)
    expect([writer.fits(1), writer.queued]).toEqual([false, 4])
    expect(reader.has).toBe(true)
    reader.get(4)
    expect([writer.fits(1), reader.has]).toEqual([false, false])
    reader.release()
    expect([writer.fits(4), writer.queued]).toEqual([true, 0])
  })

  it('refuses memory that is no ring, and to write or take what is not there', () => {
    const { writer, reader } = ring(4)
    const invariant = expect.objectContaining({ code: 'TIDEMARK_INVARIANT' })
    expect(() => spscCapacity(new SharedArrayBuffer(768))).toThrow(invariant)
    expect(() => writer.put(5)).toThrow(invariant)
    writer.put(2)
    expect(reader.has).toBe(true)
    expect(() => reader.get(3)).toThrow(invariant)
  })

  it('refuses positions that are further apart than its capacity', () => {
    const { writer, reader, control } = ring(4)
    const invariant = expect.objectContaining({ code: 'TIDEMARK_INVARIANT' })
    const positions = new Int32Array(control)
    positions[128 >> 2] = 5
    expect(() => reader.has).toThrow(invariant)
    positions[256 >> 2] = -5
    expect(() => writer.fits(1)).toThrow(invariant)
  })
})

afterEach(() => void vi.restoreAllMocks())

describe('the reader of a ring', () => {
  it('does not sleep when there is something, when the ring is stopped or when it has other work', () => {
    const { writer, reader } = ring(4)
    reader.sleep({ ready: true })
    writer.put(1)
    reader.sleep()
    expect(reader.has).toBe(true)
    reader.get(1)
    writer.stop()
    reader.sleep()
    expect(reader.stopped).toBe(true)
  })

  it('does not sleep when it is woken between its last look and its sleep', async () => {
    const answer = await inThread(`
      const control = createSpscControl(4)
      const memory = { control, records: new SharedArrayBuffer((4 + 256) * 4) }
      const writer = new InboundWriter(memory)
      const reader = new InboundReader(memory)
      // The reader looks at its other work last.
      const work = {
        get ready() {
          writer.write(new Int32Array([1 << 18]), 0, 1)
          writer.wake()
          return false
        },
      }
      reader.sleep(work)
      parentPort.postMessage(reader.next())`)
    expect(answer).toBe(0)
  })

  it('sees what is written while it spins, and no thread notifies it', () => {
    const { writer, reader, control } = ring(4)
    const notify = vi.spyOn(Atomics, 'notify')
    const asleep = new Int32Array(control)
    let looks = 0
    reader.sleep(
      {
        get ready() {
          expect(asleep[asleepWord]).toBe(0)
          if (++looks === 40) {
            writer.put(1)
            writer.wake()
          }
          return false
        },
      },
      1e6,
    )
    expect(looks).toBe(40)
    expect(reader.has).toBe(true)
    expect(notify).not.toHaveBeenCalled()
  })

  it('spins for a bounded time, and then sees what comes before it sleeps', () => {
    const { writer, reader, control } = ring(4)
    const wait = vi.spyOn(Atomics, 'wait')
    const asleep = new Int32Array(control)
    let nowMs = 0
    vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 0.01))
    let last = false
    reader.sleep(
      {
        get ready() {
          last = asleep[asleepWord] === 1
          return last
        },
      },
      100,
    )
    expect(last).toBe(true)
    expect(nowMs).toBeCloseTo(0.11, 1)
    expect(wait).not.toHaveBeenCalled()
    writer.stop()
    reader.sleep(undefined, 1e9)
  })

  it.each([0, 20])(
    'is woken from its sleep by what is written, time after time, having spun for %s us',
    async (spinUs) => {
      const control = createSpscControl(1024)
      const memory = { control, records: new SharedArrayBuffer((1024 + 256) * 4) }
      const taken = inThread(
        `const reader = new InboundReader(workerData.memory)
      let taken = 0
      for (;;) {
        const at = reader.next()
        if (at >= 0) { reader.advance(at); taken++; continue }
        reader.release()
        if (reader.stopped && reader.next() < 0) break
        reader.sleep(undefined, workerData.spinUs)
      }
      parentPort.postMessage(taken)`,
        { memory, spinUs },
      )
      const writer = new InboundWriter(memory)
      const words = new Int32Array(1)
      words[0] = 1 << 18
      const asleep = new Int32Array(control)
      for (let sent = 0; sent < 20_000; ) {
        if (!writer.fits(1)) {
          await new Promise((resolve) => setImmediate(resolve))
          continue
        }
        // Now and then when the reader sleeps or is about to, otherwise while it is at work.
        if (sent % 16 === 0) {
          while (Atomics.load(asleep, asleepWord) === 0) await new Promise((resolve) => setImmediate(resolve))
        }
        writer.write(words, 0, 1)
        writer.wake()
        sent++
      }
      writer.stop()
      expect(await taken).toBe(20_000)
    },
  )
})

/** Runs code in a thread of its own, which may block, and resolves with the message that it posts. */
function inThread(code: string, workerData: object = {}): Promise<unknown> {
  const folder = new URL('../../../dist/src/', import.meta.url)
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
    const files = ['base/spsc-ring.js', 'pool/shard/inbound-ring.js'].map((file) => import(workerData.folder + file))
    Promise.all(files).then(([{ createSpscControl }, { InboundReader, InboundWriter }]) => {${code}})`,
    { eval: true, workerData: { ...workerData, folder: folder.href } },
  )
  onTestFinished(async () => void (await worker.terminate()))
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
}
