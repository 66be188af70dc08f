import { inspectLogNow } from '#tidemark/log/tools/inspection.js'
import type { InspectedRecord, LogInspection } from '#tidemark/log/tools/inspection-report.js'
import { InlineLog, inlineDirectory } from './inline-log.js'
import { MemoryDisk } from './memory-disk.js'
import { Random } from './random.js'

/**
 * A log of three segments and more, some records of which take several batches, ended by a sync marker. The others have a
 * batch each, or, `together`, often some have one.
 */
export function sampleLog(seed = 1, together = false): { disk: MemoryDisk; lsns: number[] } {
  const disk = new MemoryDisk()
  const random = new Random(seed)
  const log = new InlineLog(disk)
  const lsns: number[] = []
  for (let i = 0; i < 260; i++) {
    log.preallocator.preallocateOnce()
    const type = 1 + (i % 3)
    if (i % 50 === 49) {
      log.flushAll()
      log.producer.stage(type, 0, random.bytes(9500))
      lsns.push(log.tail)
      continue
    }
    if (together && random.int(3) === 0) {
      const payloads = Array.from({ length: 2 + random.int(4) }, () => random.bytes(random.int(120)))
      if (log.tail - log.released > 32 * 1024) log.flushAll()
      lsns.push(...log.appendTogether(payloads, type))
      continue
    }
    lsns.push(log.append(random.bytes(4 + random.int(200)), type))
    if (random.int(4) === 0) log.flushAll()
  }
  log.flushAll()
  log.flusher.writeSyncMarker()
  log.flushAll()
  return { disk, lsns }
}

export const segmentPaths = (disk: MemoryDisk, directory: string = inlineDirectory) =>
  disk
    .list(directory)
    .filter((name) => /^\d+\.wal$/.test(name))
    .sort()
    .map((name) => `${directory}/${name}`)

/** Changes some bytes of a file by a function. */
export function damage(
  disk: MemoryDisk,
  file: string,
  change: (content: Buffer) => Buffer | undefined,
): void {
  const content = disk.contentOf(file)!
  disk.replace(file, change(content) ?? content)
}

export interface Inspected extends LogInspection {
  readonly lsns: number[]
  /** By LSN, of the records whose beginning is there. */
  readonly payloads: Map<number, string>
  readonly skippedRanges: [number, number][]
}

export function inspected(disk: MemoryDisk, options: { settle?: boolean } = { settle: false }): Inspected {
  const lsns: number[] = []
  const payloads = new Map<number, string>()
  const skippedRanges: [number, number][] = []
  const found = inspectLogNow(
    disk,
    inlineDirectory,
    {
      record: ({ lsn, payload, lacksBeginning }: InspectedRecord) => {
        lsns.push(lsn)
        if (!lacksBeginning) payloads.set(lsn, Buffer.from(payload).toString('latin1'))
      },
      skipped: (from, to) => skippedRanges.push([from, to]),
    },
    options,
  )
  return { ...found, lsns, payloads, skippedRanges }
}
