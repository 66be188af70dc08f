import { recordFlag } from '../format/batch.js'
import type { BatchChunk } from './batch-walk.js'
import { RecordAssembler } from './record-assembler.js'

/** One record of the log. */
export interface LogRecord {
  /** Where the record ends; reading on `from` it gives the next one. */
  readonly lsn: number
  /** The type that it was appended with. */
  readonly type: number
  /** The flags that it was appended with. */
  readonly flags: number
  /** Microseconds since 1970 by the writer's clock. */
  readonly timestampUs: number
  /** A copy that may be kept. */
  readonly payload: Uint8Array
}

/** Collects the application's records of chunk after chunk, each with a payload of its own. */
export class RecordCollector {
  #records: LogRecord[] = []
  readonly #assembler: RecordAssembler = new RecordAssembler({
    visit: (_words, _from, _to, lsn, type, flags) => {
      const { timestampUs, payload } = this.#assembler
      const copy = Uint8Array.from(payload)
      this.#records.push({ lsn, type, flags: flags & recordFlag.applicationMask, timestampUs, payload: copy })
    },
  })

  /** The records that end in a chunk, which begins where the last one ended. */
  take(chunk: BatchChunk): LogRecord[] {
    this.#records = []
    this.#assembler.walk(chunk)
    return this.#records
  }
}
