import type { Disk } from '../disk/disk.js'
import { batchField, batchHeaderBytes, continuesBit } from '../format/batch.js'
import { encodeHeaderCopy, type SegmentHeader } from '../format/segment.js'
import { FileReader } from '../read/file-reader.js'

/** Whole batches of one segment, on their way to the replicated log. */
export interface OutgoingEntry {
  readonly startLsn: number
  readonly endLsn: number
  /** Its own memory. */
  readonly bytes: Buffer
  /** The header of the segment, when it begins here. */
  readonly segmentHeader: Buffer | undefined
  /** Where the last batch in it ends that leaves no record unfinished; undefined when there is none. */
  readonly wholeEndLsn: number | undefined
  /** When its first batch was appended, in microseconds since 1970. */
  readonly sinceUs: number
}

/**
 * Cuts the files of a log into entries. An entry has whole batches of one segment, as many as fit in `entryBytes`; a batch that is
 * larger has an entry of its own.
 */
export class EntrySource {
  readonly #files: FileReader
  readonly #entryBytes: number
  /** Batches that were read and are not in an entry yet; the next read takes their memory. */
  #chunk: Buffer = Buffer.alloc(0)
  #at = 0
  #position: number

  /** Begins at `fromLsn`, where a batch begins. */
  constructor(disk: Disk, directory: string, fromLsn: number, entryBytes: number) {
    this.#files = new FileReader(disk, directory, fromLsn, { known: true })
    this.#entryBytes = entryBytes
    this.#position = fromLsn
  }

  /** Where the next entry begins. */
  get position(): number {
    return this.#position
  }

  /**
   * The next entry below `limitLsn`, up to which the log is synced and a record ends; `undefined` when there is none.
   *
   * @throws LogError `TIDEMARK_LOG_CORRUPT`, `TIDEMARK_LOG_IO`, `TIDEMARK_TOO_MANY_FILES`.
   */
  next(limitLsn: number): OutgoingEntry | undefined {
    if (this.#at === this.#chunk.byteLength) {
      const chunk = this.#files.nextSync(limitLsn)
      if (!chunk) return undefined
      this.#chunk = chunk.bytes
      this.#at = 0
    }
    return this.#cut(this.#files.segment!)
  }

  close(): void {
    this.#files.close()
  }

  #cut(segment: SegmentHeader): OutgoingEntry {
    const chunk = this.#chunk
    const from = this.#at
    let to = from
    let wholeTo = from
    do {
      const bytes = chunk.readInt32LE(to)
      if (to > from && to + bytes - from > this.#entryBytes) break
      const isWhole = !continues(chunk, to)
      to += bytes
      if (isWhole) wholeTo = to
    } while (to < chunk.byteLength)
    const startLsn = this.#position
    this.#at = to
    this.#position = startLsn + to - from
    return {
      startLsn,
      endLsn: this.#position,
      bytes: Buffer.from(chunk.subarray(from, to)),
      segmentHeader: startLsn === segment.firstLsn ? encodeHeaderCopy(segment) : undefined,
      wholeEndLsn: wholeTo > from ? startLsn + wholeTo - from : undefined,
      sinceUs: Number(chunk.readBigUInt64LE(from + batchField.timestamp)),
    }
  }
}

/** Whether the record of the batch at `at` continues in the next one: then it is the only one of its batch. */
function continues(batches: Buffer, at: number): boolean {
  if (batches.readUInt16LE(at + batchField.records) !== 1) return false
  return (batches.readUInt32LE(at + batchHeaderBytes + 4) & continuesBit) !== 0
}
