import { createHash } from 'node:crypto'
import type { LedgerRecord } from '../records.js'

/** A record whose key is in the log. */
interface KnownKey {
  readonly lsn: number
  /** Of its fields, so that another body under the same key is noticed. */
  readonly digest: string
}

/** The idempotency keys of all records, for ever: a repetition may come after any time. */
export class Keys {
  readonly #known = new Map<string, KnownKey>()

  get size(): number {
    return this.#known.size
  }

  find(key: string): KnownKey | undefined {
    return this.#known.get(key)
  }

  add(key: string, lsn: number, digest: string): void {
    this.#known.set(key, { lsn, digest })
  }

  entries(): IterableIterator<[string, KnownKey]> {
    return this.#known.entries()
  }
}

/** 96 bits of the record's SHA-256. */
export function digestOf(record: LedgerRecord): string {
  return createHash('sha256').update(JSON.stringify(record)).digest('base64url').slice(0, 16)
}
