import { describe, expect, it } from 'vitest'
import { RoomQueue } from '#tidemark/jobs/events/room-queue.js'
import { LogError, shortageError } from '#tidemark/log/errors.js'

/** A log that takes what the test lets it take. */
class Log {
  refusal: Error | undefined
  readonly taken: string[] = []
  readonly failed: string[] = []
  readonly waitedFor: string[] = []
  #wake: (() => void)[] = []
  readonly queue = new RoomQueue({
    inRing: () => this.#wait('ring'),
    onDisk: () => this.#wait('disk'),
  })

  add(name: string, waitsForDisk = false): void {
    const step = () => {
      if (this.refusal) throw this.refusal
      this.taken.push(name)
    }
    const failed = (error: unknown) => this.failed.push(`${name} ${(error as { code: string }).code}`)
    this.queue.run(step, failed, () => waitsForDisk)
  }

  /** Lets the calls that wait look again. */
  async again(): Promise<void> {
    for (const wake of this.#wake.splice(0)) wake()
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  #wait(what: string): Promise<void> {
    this.waitedFor.push(what)
    return new Promise((resolve) => this.#wake.push(resolve))
  }
}

const full = shortageError('dir', 'space')
const ringFull = new LogError('TIDEMARK_RING_FULL', 'full')

describe('steps of a log', () => {
  it('on a full disk wait in order when they record what happened, and are refused when they ask for something new', async () => {
    const log = new Log()
    log.refusal = full
    log.add('new 1')
    log.add('ack 1', true)
    log.add('ack 2', true)
    log.add('new 2')
    expect(log.queue).toMatchObject({ size: 2, waitsForDisk: true })
    await log.again()
    expect(log.failed).toEqual(['new 1 TIDEMARK_DISK_FULL', 'new 2 TIDEMARK_DISK_FULL'])
    expect(log.taken).toEqual([])
    log.refusal = undefined
    await log.again()
    log.add('new 3')
    expect(log.taken).toEqual(['ack 1', 'ack 2', 'new 3'])
    expect(log.queue).toMatchObject({ size: 0, waitsForDisk: false })
    expect(new Set(log.waitedFor)).toEqual(new Set(['disk']))
  })

  it('that ask for something new are refused too when they came while only the ring was full', async () => {
    const log = new Log()
    log.refusal = ringFull
    log.add('ack', true)
    log.add('new')
    expect(log.waitedFor).toEqual(['ring'])
    log.refusal = full
    await log.again()
    expect(log.failed).toEqual(['new TIDEMARK_DISK_FULL'])
    log.refusal = undefined
    await log.again()
    expect(log.taken).toEqual(['ack'])
  })

  it('fail when the disk is given up, if it is full still', async () => {
    const log = new Log()
    log.refusal = full
    log.add('ack', true)
    log.queue.giveUpDisk()
    await log.again()
    log.add('later', true)
    expect(log.failed).toEqual(['ack TIDEMARK_DISK_FULL', 'later TIDEMARK_DISK_FULL'])
    log.refusal = undefined
    log.add('last')
    expect(log.taken).toEqual(['last'])
  })
})
