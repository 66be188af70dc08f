import {
  FLAGS_SHIFT,
  HAS_TAG,
  hasTag,
  isForAmount,
  LENGTH_SHIFT,
  OMITS_ORDER_ID,
  readU64,
  TAG_WORDS,
  tagAt,
} from '../codec/command-layout.js'
import { outcomeStatusCodes, rejectCodes } from '../codec/names.js'
import { outcomeOf } from '../codec/outcome.js'
import type { RecordBuffer } from '../codec/record-buffer.js'

const OMITS = OMITS_ORDER_ID << FLAGS_SHIFT
/** What a tag adds to the first word of a command. */
const TAG_IN_HEADER = (HAS_TAG << FLAGS_SHIFT) + (TAG_WORDS << LENGTH_SHIFT)

/** The last request of an account in a book, and what came of it. */
export interface RequestEntry {
  requestId: number
  /** The order's id: that of the command, or the one that it was given. */
  orderId: number
  /** Two hashes of the command's body, its tag left out. */
  bodyA: number
  bodyB: number
  status: number
  code: number
  filled: number
  remaining: number
  /** Where the first execution's record ends in the log; 0 until it is settled. */
  lsn: number
  /** The number of the last copy that has this entry, or that began before the entry was made: that copy passes over it. */
  copy: number
}

/** Copies entries before they are replaced, while a snapshot is taken. */
export interface RequestKeeper {
  keepRequest(book: number, account: number, entry: RequestEntry): void
}

/**
 * Remembers, for each account of each book, the last request id and its outcome, so that a command that is sent again
 * is executed once. Ids grow strictly, so one entry an account is enough.
 */
export class RequestLedger {
  readonly #books: (Map<number, RequestEntry> | undefined)[] = []
  /** Entries that have no LSN yet, and the word of their buffer at which the record of each ends. */
  readonly #unsettled: RequestEntry[] = []
  readonly #ends: number[] = []
  /** Copies that were begun; the running one's number while `keeper` is set. */
  copies = 0
  keeper: RequestKeeper | undefined

  find(book: number, account: number): RequestEntry | undefined {
    return this.#books[book]?.get(account)
  }

  /** The entries of a book by ascending account. */
  entries(book: number): [account: number, entry: RequestEntry][] {
    return [...(this.#books[book] ?? [])].sort(([a], [b]) => a - b)
  }

  /** The entries of a book, in no particular order; those that come meanwhile may be among them. */
  iterate(book: number): IterableIterator<[account: number, entry: RequestEntry]> | undefined {
    return this.#books[book]?.entries()
  }

  restore(book: number, account: number, entry: RequestEntry): void {
    const entries = this.#books[book] ?? new Map<number, RequestEntry>()
    entries.set(account, entry)
    this.#books[book] = entries
  }

  /**
   * Answers a request whose id is not new: with the first outcome, or with a refusal when the body is another one or
   * the id is older than the last. Returns false for a new id.
   */
  answer(book: number, account: number, words: Int32Array, at: number, record: RecordBuffer): boolean {
    const entry = this.find(book, account)
    const requestId = requestIdOf(words, at)
    if (entry === undefined || requestId > entry.requestId) return false
    if (requestId < entry.requestId) {
      record.rejected(account, rejectCodes.REQUEST_ID_OUTDATED)
    } else if (
      entry.bodyA !== bodyHash(words, at, 0x9747b28c) ||
      entry.bodyB !== bodyHash(words, at, 0x5bd1e995)
    ) {
      record.rejected(account, rejectCodes.REQUEST_ID_REUSED)
    } else {
      // A command that names no order id gets the one that it was given then.
      words[at + 2] = entry.orderId | 0
      words[at + 3] = (entry.orderId / 4294967296) | 0
      record.repeated(account, entry)
    }
    return true
  }

  /** Whether entries wait for `settle`. */
  get hasUnsettled(): boolean {
    return this.#unsettled.length > 0
  }

  /** Whether a request has the id of the account's last one, which waits for `settle`. */
  isUnsettled(book: number, account: number, words: Int32Array, at: number): boolean {
    const entry = this.find(book, account)
    return entry?.lsn === 0 && entry.requestId === requestIdOf(words, at)
  }

  /** Notes what came of a new request, whose record of the log stands at the end of `record`. */
  note(book: number, account: number, words: Int32Array, at: number, record: RecordBuffer): void {
    const outcome = outcomeOf(record.i32, record.start, record.end)
    const entry: RequestEntry = {
      requestId: requestIdOf(words, at),
      orderId: readU64(words, at + 2),
      bodyA: bodyHash(words, at, 0x9747b28c),
      bodyB: bodyHash(words, at, 0x5bd1e995),
      status: outcomeStatusCodes[outcome.status],
      code: outcome.code === undefined ? 0 : rejectCodes[outcome.code],
      filled: outcome.filled,
      remaining: outcome.remaining,
      lsn: 0,
      copy: this.copies,
    }
    if (this.keeper !== undefined) {
      const replaced = this.find(book, account)
      if (replaced) this.keeper.keepRequest(book, account, replaced)
    }
    this.restore(book, account, entry)
    this.#unsettled.push(entry)
    this.#ends.push(record.end)
  }

  /** Sets the LSNs of the entries that end at the word `end` of the buffer, which stands in the log at `lsn`, or before it. */
  settle(lsn: number, end: number): void {
    const unsettled = this.#unsettled
    const ends = this.#ends
    let count = 0
    for (; count < ends.length && ends[count]! <= end; count++)
      unsettled[count]!.lsn = lsn - (end - ends[count]!) * 4
    // A record that is too large for its batch is published after the others, and waits for its own call.
    if (count < ends.length) {
      unsettled.splice(0, count)
      ends.splice(0, count)
      return
    }
    unsettled.length = 0
    ends.length = 0
  }
}

/** The request id is the last field of every record that has one. */
function requestIdOf(words: Int32Array, at: number): number {
  return readU64(words, at + (words[at]! >>> 18) - 2)
}

/** Hash of a command record without its tag. */
function bodyHash(words: Int32Array, at: number, seed: number): number {
  const end = at + (words[at]! >>> LENGTH_SHIFT)
  const tag = hasTag(words, at) ? tagAt(words, at) : end
  // The length and the flag count as without the tag.
  let hash = mix(seed, tag === end ? words[at]! : words[at]! - TAG_IN_HEADER)
  // An order id that was given is no part of what was sent, nor is a quantity that was found.
  const given = (words[at]! & OMITS) === 0 ? end : at + 2
  const found = isForAmount(words, at) ? at + 8 : end
  for (let i = at + 1; i < end; i++) {
    if (i !== tag && i !== tag + 1 && i !== given && i !== given + 1 && i !== found && i !== found + 1)
      hash = mix(hash, words[i]!)
  }
  return hash
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0xcc9e2d51)
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593) ^ (mixed >>> 13)
}
