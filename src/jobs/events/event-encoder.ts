import { maxPayloadBytes, recordBytes } from '../../log/index.js'
import { JobError } from '../errors.js'
import { encodeEvent, type JobEventType } from './event.js'

/** One entry of `appendMany`; the detail as JSON. */
export interface EventEntry {
  readonly type: JobEventType
  readonly jobId: string
  readonly detailJson: string
}

/** Records that are appended together, and the events that they say. */
export interface EncodedPiece {
  readonly payloads: Buffer[]
  readonly checksums: number[]
  readonly atMs: number
}

/** Makes the bytes of records from events, and refuses events that are larger than a record may be. */
export class EventEncoder {
  /** The largest event, in bytes of its JSON. */
  readonly recordBytesMax: number
  readonly #pieceBytesMax: number
  #scratch = Buffer.allocUnsafeSlow(4096)

  constructor({ ringBytes, maxBatchBytes }: { readonly ringBytes: number; readonly maxBatchBytes: number }) {
    this.recordBytesMax = maxPayloadBytes(maxBatchBytes)
    this.#pieceBytesMax = ringBytes / 4
  }

  /** The records of the next entries from `from` on, as many as the ring takes well at a time; one at least. */
  encodePiece(entries: readonly EventEntry[], from: number, firstSeq: number): EncodedPiece {
    const piece: EncodedPiece = { payloads: [], checksums: [], atMs: Date.now() }
    const { payloads, checksums, atMs } = piece
    let bytes = 0
    for (let i = from; i < entries.length; i++) {
      const { type, jobId, detailJson } = entries[i]!
      const { text, checksum } = encodeEvent(firstSeq + payloads.length, type, jobId, atMs, detailJson)
      const payload = Buffer.from(text)
      this.checkSize(payload.byteLength, jobId)
      bytes += recordBytes(payload.byteLength)
      if (bytes > this.#pieceBytesMax && payloads.length > 0) break
      payloads.push(payload)
      checksums.push(checksum)
    }
    return piece
  }

  /** The text in memory that the next call uses again: the log copies it. */
  toBytes(text: string, jobId: string): Uint8Array {
    const bytesMax = text.length * 3
    if (bytesMax > this.#scratch.byteLength) {
      this.checkSize(Buffer.byteLength(text), jobId)
      this.#scratch = Buffer.allocUnsafeSlow(bytesMax)
    }
    const bytes = this.#scratch.write(text)
    this.checkSize(bytes, jobId)
    return this.#scratch.subarray(0, bytes)
  }

  /** @throws JobError `TIDEMARK_JOB_BAD_EVENT` for an event of more bytes than one record takes. */
  checkSize(bytes: number, jobId: string): void {
    if (bytes <= this.recordBytesMax) return
    throw new JobError(
      'TIDEMARK_JOB_BAD_EVENT',
      `The event of job ${jobId.slice(0, 100)} has ${bytes} bytes; one event takes at most ${this.recordBytesMax}. Keep large payloads elsewhere, or raise maxBatchBytes.`,
      { jobId, bytes, bytesMax: this.recordBytesMax },
    )
  }
}
