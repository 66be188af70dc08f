import { NodeDisk } from '../log/index.js'
import { commandKinds, decodeInstrument, eventKinds } from '../matching/index.js'
import {
  commandRecordType,
  type FollowedLedger,
  InstrumentRegistry,
  listLedgerFiles,
  type RecordObserver,
} from '../pool/index.js'
import { CatchUp } from './catch-up.js'
import { placeSnapshot } from './checkpoint.js'
import { LedgerFold } from './fold.js'
import { readLedgerSnapshot } from './snapshot.js'
import { LedgerState } from './state/ledger-state.js'

const INSTRUMENT = commandKinds.instrument

/**
 * The snapshots of a ledger at a standby: at each checkpoint the log that came since the last one is folded, out of its files. So the log
 * is not kept from the last one of the primary on, and the ledger opens after a promotion as fast as after a crash.
 */
export class FollowedSnapshots implements FollowedLedger {
  readonly #log: { readonly dir: string; readonly durableLsn: number }
  /** As of any moment at or after the newest snapshot: what an instrument is traded in stays once it has had orders. */
  readonly #instruments: InstrumentRegistry
  readonly #disk = new NodeDisk()
  /** By LSN, newest first, those that are in place. */
  #lsns: number[]
  /** What was folded for the last one; `undefined` before the first, and after one that failed. */
  #state: LedgerState | undefined

  /** `instruments` are those at the end of the log. */
  constructor(log: { readonly dir: string; readonly durableLsn: number }, instruments: InstrumentRegistry) {
    this.#log = log
    this.#instruments = new InstrumentRegistry(1)
    for (let number = 0; number < instruments.size; number++) {
      const instrument = instruments.byId(number)
      if (instrument) this.#instruments.add(instrument.definition)
    }
    this.#lsns = listLedgerFiles(this.#disk, log.dir).map(({ lsn }) => lsn)
  }

  get neededLsn(): number {
    return this.#lsns.at(-1) ?? Number.POSITIVE_INFINITY
  }

  async begin(lsn: number): Promise<void> {
    const state = new LedgerState(this.#instruments)
    state.lsn = lsn
    this.#lsns = await placeSnapshot(this.#disk, this.#log.dir, state.image())
  }

  async take(): Promise<void> {
    if (this.#lsns.length === 0) return
    const { dir } = this.#log
    const state = this.#state ?? (await readLedgerSnapshot(dir, this.#instruments))
    this.#state = undefined
    if (state === undefined) return
    const past = new CatchUp(dir, state.lsn, this.#observerOf(state))
    try {
      const lsn = this.#log.durableLsn
      await past.to(lsn)
      state.lsn = past.wholeLsn(lsn)
    } finally {
      past.close()
    }
    this.#lsns = await placeSnapshot(this.#disk, dir, state.image())
    this.#state = state
  }

  /** A fold that hears of instruments from the log. */
  #observerOf(state: LedgerState): RecordObserver {
    const fold = new LedgerFold(state)
    const instruments = this.#instruments
    return {
      observe(words, from, to, lsn, type, producer, record) {
        const kind = words[from]! & 0xff
        if (type === commandRecordType && kind === INSTRUMENT) noteNew(instruments, words, from, to)
        else if (type === commandRecordType && kind > INSTRUMENT) instruments.note(words, from, to)
        fold.observe(words, from, to, lsn, type, producer, record)
      },
    }
  }
}

/** Takes over the instrument that a record creates, unless the book refused it. */
function noteNew(instruments: InstrumentRegistry, words: Int32Array, from: number, to: number): void {
  const event = from + (words[from]! >>> 18)
  if (event >= to || (words[event]! & 0xff) !== eventKinds['instrument-created']) return
  const definition = decodeInstrument(words, from)
  if (instruments.byId(definition.instrumentId) === undefined) instruments.add(definition)
}
