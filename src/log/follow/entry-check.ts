import { LogError } from '../errors.js'
import { BatchDecoder } from '../format/batch.js'
import { compareKind } from '../format/log-kind.js'
import { decodeSegmentHeader, type SegmentHeader, segmentSeed } from '../format/segment.js'
import { damageReason } from '../read/damage-reason.js'
import { ReplicationError } from '../replicated/index.js'

/** Checks what is to be appended to a copy of a log: that it continues where the copy ends, in batches that are whole and valid. */
export class EntryCheck {
  readonly #directory: string
  readonly #kind: string
  readonly #contentVersion: number
  #segment: SegmentHeader | undefined
  #decoder = new BatchDecoder(0)
  #seed = 0

  /** `last` is the header of the last segment that is there. */
  constructor(options: {
    directory: string
    kind: string
    contentVersion: number
    last: SegmentHeader | undefined
  }) {
    this.#directory = options.directory
    this.#kind = options.kind
    this.#contentVersion = options.contentVersion
    if (options.last) this.#continueIn(options.last)
  }

  /**
   * Checks the header of a segment that is to begin at `startLsn`, where the copy ends; the batches after it are its.
   *
   * @throws LogError `TIDEMARK_LOG_CORRUPT`, `TIDEMARK_LOG_KIND`, `TIDEMARK_RULES_DIFFER`; ReplicationError `TIDEMARK_LOG_DIVERGED`
   *   when it does not continue the segment before.
   */
  header(block: Uint8Array, startLsn: number): SegmentHeader {
    const header = decodeSegmentHeader(Buffer.from(block))
    if (header?.firstLsn !== startLsn) {
      throw corrupt(startLsn, 'the header of the segment that begins there is damaged')
    }
    compareKind(this.#directory, header.kind, this.#kind)
    if (header.contentVersion !== this.#contentVersion) {
      const found = header.contentVersion
      throw new LogError(
        'TIDEMARK_RULES_DIFFER',
        `The primary writes under content version ${found} from LSN ${startLsn} on, and this build has version ${this.#contentVersion}: run the standby with the build of the primary.`,
        { directory: this.#directory, lsn: startLsn, found, supported: this.#contentVersion },
      )
    }
    if (!follows(header, this.#segment)) {
      throw new ReplicationError(
        'TIDEMARK_LOG_DIVERGED',
        `The segment at LSN ${startLsn} does not continue the log in ${this.#directory}: another primary wrote that one. Seed the standby anew.`,
        { dir: this.#directory, lsn: startLsn },
      )
    }
    this.#continueIn(header)
    return header
  }

  /** Checks that `bytes` are whole batches from `startLsn` on, and returns them where words can be read. @throws LogError `TIDEMARK_LOG_CORRUPT`. */
  batches(bytes: Uint8Array, startLsn: number): Buffer {
    if (!this.#segment) throw corrupt(startLsn, 'no segment begins there')
    const buffer = aligned(bytes)
    const end = buffer.byteLength
    for (let at = 0; at < end; ) {
      const found = this.#decoder.decode(buffer, at, end, startLsn + at, this.#seed)
      if (found !== 'none') throw corrupt(startLsn + at, damageReason(found))
      at += this.#decoder.view.length
    }
    return buffer
  }

  #continueIn(header: SegmentHeader): void {
    this.#segment = header
    this.#decoder = new BatchDecoder(header.maxBatchBytes)
    this.#seed = segmentSeed(header)
  }
}

/** Whether a segment continues the last one, or takes its place when that holds nothing. */
function follows({ firstLsn, previous }: SegmentHeader, last: SegmentHeader | undefined): boolean {
  if (!last) return previous === undefined
  if (last.firstLsn === firstLsn) {
    return previous?.firstLsn === last.previous?.firstLsn && previous?.epoch === last.previous?.epoch
  }
  return previous?.firstLsn === last.firstLsn && previous.epoch === last.epoch
}

/** The decoder reads words of the memory: bytes of a message may begin anywhere. */
function aligned({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  const bytes = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
  if (byteOffset % 4 === 0) return bytes
  const copy = Buffer.allocUnsafeSlow(byteLength)
  bytes.copy(copy)
  return copy
}

function corrupt(lsn: number, reason: string): LogError {
  return new LogError(
    'TIDEMARK_LOG_CORRUPT',
    `The replicated log is corrupt at LSN ${lsn}: ${reason}. Nothing of it was written; seed the standby anew when the primary's log is valid.`,
    { lsn, reason },
  )
}
