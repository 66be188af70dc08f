import { FileReader, NodeDisk, RecordAssembler, readRecords } from '../../../log/index.js'
import {
  commandAccount,
  commandKinds,
  commandTagHigh,
  commandTagLow,
  isForAmount,
  legAt,
  NEW_HAS_REQUEST_ID,
  OMITS_ORDER_ID,
  readU64,
} from '../../../matching/index.js'
import { commandRecordType } from '../../../pool/index.js'

/** Flag of a command's first word; it is the same one in new orders and amendments. */
const hasRequestIdBit = NEW_HAS_REQUEST_ID << 8
const omitsOrderIdBit = OMITS_ORDER_ID << 8

/** Kinds of commands that name an order or a list, unless they leave that to the book. */
const namesOne: ReadonlySet<number> = new Set([
  commandKinds.new,
  commandKinds.cancel,
  commandKinds.replace,
  commandKinds.reduce,
  commandKinds.list,
])

/** A fingerprint of command records, one after the other: two 32-bit hashes. It guards against mistakes only. */
export class CommandDigest {
  a = 0x9747b28c
  b = 0x5bd1e995

  /** Takes up the record at a word offset. */
  add(words: Int32Array, at: number): void {
    if ((words[at]! & 0xff) !== commandKinds.list) {
      this.#addWords(words, at, at + (words[at]! >>> 18))
      return
    }
    // The list's own fields, then its orders, each a record of its own: ids may have been given to all of them.
    let next = legAt(words, at, 0)
    this.#addWords(words, at, next)
    for (let leg = 1; next >= 0; leg++) {
      this.#addWords(words, next, next + (words[next]! >>> 18))
      next = legAt(words, at, leg)
    }
  }

  /** Takes up the words of a record or a part of one that begins at `from`. */
  #addWords(words: Int32Array, from: number, end: number): void {
    // An id that the book gave stands in the log, and not in the input.
    const given = (words[from]! & omitsOrderIdBit) !== 0 && namesOne.has(words[from]! & 0xff) ? from + 2 : end
    // So does the quantity that an amount came to.
    const found = isForAmount(words, from) ? from + 8 : end
    for (let i = from; i < end; i++) {
      const isWritten = i === given || i === given + 1 || i === found || i === found + 1
      const word = isWritten ? 0 : words[i]!
      this.a = mix(this.a, word)
      this.b = mix(this.b, word + 0x85ebca6b)
    }
  }

  equals(other: CommandDigest): boolean {
    return this.a === other.a && this.b === other.b
  }

  copy(): CommandDigest {
    const copy = new CommandDigest()
    copy.a = this.a
    copy.b = this.b
    return copy
  }
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0xcc9e2d51)
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593) ^ (mixed >>> 13)
}

/** What a log holds of one symbol. A symbol's commands are in it without gaps, in the order of their submission. */
export interface LoggedSymbol {
  /** Commands for this symbol alone: neither its creation nor a cancel-all, a block or an unblock. */
  commands: number
  /** Of the first of them, and of all of them. */
  first: CommandDigest | undefined
  readonly all: CommandDigest
  /** Tag of the command that created it. */
  createdBy: number
  /** The last of them: its tag, and where its record ends. */
  lastTag: number
  lastLsn: number
  /** The highest request id of each account. */
  readonly requests: Map<number, number>
}

/** The commands that a log holds. */
export class LoggedCommands {
  readonly #symbols = new Map<number, LoggedSymbol>()
  /** The highest tag of all, -1 for a log without commands. */
  maxTag = -1

  /** Reads a log from its beginning to `endLsn`. @throws LogError when it can't be read. */
  static async read(directory: string, endLsn: number): Promise<LoggedCommands> {
    const logged = new LoggedCommands()
    const assembler = new RecordAssembler({
      visit: (words, from, _to, lsn, type) =>
        void (type === commandRecordType && logged.#take(words, from, lsn)),
    })
    await readRecords(new FileReader(new NodeDisk(), directory, 0), endLsn, assembler)
    return logged
  }

  /** What is logged of an instrument, by its id. */
  symbol(instrumentId: number): LoggedSymbol | undefined {
    return this.#symbols.get(instrumentId)
  }

  get symbols(): Iterable<[instrumentId: number, symbol: LoggedSymbol]> {
    return this.#symbols
  }

  #take(words: Int32Array, from: number, lsn: number): void {
    const kind = words[from]! & 0xff
    const tag = commandTagLow(words, from) + commandTagHigh(words, from) * 0x1_0000_0000
    if (tag > this.maxTag) this.maxTag = tag
    if (isEverywhere(kind) || kind === commandKinds.noop) return
    const symbol = this.#symbolOf(words[from + 1]! >>> 0)
    if (kind === commandKinds.instrument) {
      symbol.createdBy = tag
      return
    }
    symbol.commands++
    symbol.all.add(words, from)
    symbol.first ??= symbol.all.copy()
    symbol.lastTag = tag
    symbol.lastLsn = lsn
    const request = requestOf(words, from)
    if (!request) return
    const last = symbol.requests.get(request.account) ?? 0
    if (request.requestId > last) symbol.requests.set(request.account, request.requestId)
  }

  #symbolOf(instrumentId: number): LoggedSymbol {
    let symbol = this.#symbols.get(instrumentId)
    if (!symbol) {
      const all = new CommandDigest()
      const requests = new Map<number, number>()
      symbol = { commands: 0, first: undefined, all, createdBy: 0, lastTag: 0, lastLsn: 0, requests }
      this.#symbols.set(instrumentId, symbol)
    }
    return symbol
  }
}

/** Whether commands of a kind may be one record a symbol. */
function isEverywhere(kind: number): boolean {
  return kind === commandKinds['cancel-all'] || kind === commandKinds.block || kind === commandKinds.unblock
}

/** Account and request id of a command record; `undefined` when it has no request id. */
export function requestOf(
  words: Int32Array,
  at: number,
): { readonly account: number; readonly requestId: number } | undefined {
  const header = words[at]!
  const kind = header & 0xff
  if ((header & hasRequestIdBit) === 0 || kind > commandKinds.reduce) return undefined
  const end = at + (header >>> 18)
  // The request id is the last field of a record, and every record that has one states an account.
  return { account: commandAccount(words, at), requestId: readU64(words, end - 2) }
}
