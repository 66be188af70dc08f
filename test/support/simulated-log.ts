import { segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import { int32, logState } from '#tidemark/log/ring/memory.js'
import { wakeFlusher } from '#tidemark/log/ring/signals.js'
import type { Written } from './fault-log.js'
import { fixClock, fixEpochs, freeEntropy } from './fixed-entropy.js'
import { InlineLog, type InlineLogOptions } from './inline-log.js'
import { MemoryDisk } from './memory-disk.js'
import type { Random } from './random.js'

export interface SimulatedRun {
  readonly disk: MemoryDisk
  readonly written: readonly (Written & { readonly timestampUs: number })[]
  /** How often a record had to wait because the ring was full. */
  readonly refused: number
  /** What would be on disk if the power had failed in one of the syncs, and what was acknowledged then. */
  readonly cut: { readonly disk: MemoryDisk; readonly released: number } | undefined
  readonly simulatedMs: number
}

/**
 * Runs the flusher's own loop with a simulated clock: wherever it would wait, and while it syncs, time passes and
 * others append. A sync takes up to `syncMsMax`; `wallClock` is asked for the time of day. Ends with a clean close,
 * when `records` were appended.
 */
export function simulate(
  random: Random,
  options: { records: number; syncMsMax: number; wallClock: () => number; log: InlineLogOptions },
): SimulatedRun {
  const disk = new MemoryDisk()
  const written: (Written & { timestampUs: number })[] = []
  const { wait } = Atomics
  const { now } = performance
  let nowMs = 0
  let saidMs = 0
  let refused = 0
  let cut: SimulatedRun['cut']
  let cutAfter = random.int(60)
  fixEpochs(random.int(1 << 30))
  fixClock(() => (saidMs = options.wallClock()))
  performance.now = () => nowMs
  try {
    const log = new InlineLog(disk, options.log)
    const control32 = new Int32Array(log.memory.control)
    /** Everything up to here was written when a sync that has ended began. */
    let coveredLsn = 0
    const check = () => {
      if (log.released > coveredLsn)
        throw new Error(`LSN ${log.released} is released, ${coveredLsn} was synced`)
    }
    const append = (count: number) => {
      for (let i = 0; i < count && written.length < options.records; i++) {
        const payload = Buffer.from(random.bytes(random.int(random.int(8) === 0 ? 3000 : 200)))
        const lsn = log.producer.tryAppend(1, 0, payload)
        if (lsn === undefined) {
          refused++
          break
        }
        written.push({ lsn, payload, timestampUs: saidMs * 1000 })
      }
    }
    let writtenLsn = 0
    let activeFile = 0
    const { write, syncData } = disk
    disk.write = (file, pieces, position) => {
      check()
      // Batches never stand in the block of the header, where new files begin.
      if (position >= segmentHeaderBytes) {
        activeFile = file
        writtenLsn += pieces.reduce((sum, { byteLength }) => sum + byteLength, 0)
      }
      return write.call(disk, file, pieces, position)
    }
    disk.syncData = (file) => {
      if (file === activeFile) {
        const { released } = log
        nowMs += random.int(options.syncMsMax)
        append(random.int(3) === 0 ? 1000 : random.int(20))
        if (cutAfter-- === 0) {
          cut = { disk: disk.powerCut(() => random.int(2) === 0), released: log.released }
        }
        if (log.released !== released) throw new Error('the mark moved while the disk was syncing')
        coveredLsn = writtenLsn
      }
      syncData.call(disk, file)
    }
    Atomics.wait = ((
      array: Int32Array,
      index: number,
      value: number,
      timeoutMs = Number.POSITIVE_INFINITY,
    ) => {
      check()
      if (array[index] !== value) return 'not-equal'
      if (random.int(3) === 0) log.preallocator.preallocateOnce()
      if (written.length >= options.records) {
        control32[int32.state] = logState.closing
        wakeFlusher(control32)
      } else if (random.int(3) > 0 || timeoutMs === Number.POSITIVE_INFINITY) {
        append(1 + random.int(10))
        // What others do takes some of the time that the flusher would have waited for it.
        nowMs += Math.min(timeoutMs, random.int(50))
      }
      if (array[index] !== value) return 'ok'
      nowMs += Math.min(timeoutMs, 1e9)
      return 'timed-out'
    }) as typeof Atomics.wait
    log.flusher.run()
    check()
    return { disk, written, refused, cut, simulatedMs: nowMs }
  } finally {
    Atomics.wait = wait
    performance.now = now
    freeEntropy()
  }
}
