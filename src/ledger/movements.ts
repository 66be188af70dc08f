import { callUser } from '../base/emitter.js'
import type { InstrumentRegistry } from '../pool/index.js'
import { unitsText } from './amounts/amount.js'
import { CatchUp } from './catch-up.js'
import { LedgerError } from './errors.js'
import { type FoldListener, LedgerFold } from './fold.js'
import { readLedgerSnapshot } from './snapshot.js'
import { LedgerState } from './state/ledger-state.js'
import type { Movement, MovementKind } from './types.js'

/** Makes a `Movement` of each change of a balance that a fold makes. */
class MovementMaker implements FoldListener {
  readonly #state: LedgerState
  readonly #onMoved: (movement: Movement) => void
  /** Whose movements are wanted; everybody's when undefined. */
  readonly #account: number | undefined
  #lsn = 0
  #timeUs = 0

  /** `state` is that of the fold. */
  constructor(state: LedgerState, onMoved: (movement: Movement) => void, account?: number) {
    this.#state = state
    this.#onMoved = onMoved
    this.#account = account
  }

  record(lsn: number, timeUs: number): void {
    this.#lsn = lsn
    this.#timeUs = timeUs
  }

  moved(
    cell: number,
    amount: bigint,
    kind: MovementKind,
    instrument: number,
    orderId: number,
    tradeId: number,
    key: string | undefined,
  ): void {
    const { cells, assets } = this.#state
    const account = cells.account[cell]!
    if (this.#account !== undefined && this.#account !== account) return
    const { id, scale } = assets.of(cells.asset[cell]!)
    const ofOrder = instrument >= 0
    this.#onMoved({
      lsn: this.#lsn,
      timeUs: this.#timeUs,
      account,
      kind,
      asset: id,
      amount: unitsText(amount, scale),
      balance: unitsText(cells.balance[cell]!, scale),
      symbol: ofOrder ? this.#state.units(instrument).symbol : undefined,
      orderId: ofOrder ? orderId : undefined,
      tradeId: ofOrder ? tradeId : undefined,
      key,
    })
  }
}

/** Gives the movements of durable records to listeners, after the records that were delivered with them. */
export class MovementListeners {
  readonly #listeners = new Set<(movement: Movement) => void>()
  #waiting: Movement[] = []

  /** What a fold of `state` has for a listener, for as long as there are some here. */
  listenerOf(state: LedgerState): FoldListener {
    return new MovementMaker(state, (movement) => {
      if (this.#waiting.push(movement) === 1) queueMicrotask(() => this.#deliver())
    })
  }

  get size(): number {
    return this.#listeners.size
  }

  add(listener: (movement: Movement) => void): void {
    this.#listeners.add(listener)
  }

  remove(listener: (movement: Movement) => void): void {
    this.#listeners.delete(listener)
  }

  #deliver(): void {
    const movements = this.#waiting
    this.#waiting = []
    for (const movement of movements) {
      for (const listener of [...this.#listeners]) callUser(() => listener(movement))
    }
  }
}

/**
 * The movements of an account above `fromLsn` and up to `toLsn`: a second state is folded out of the newest snapshot that is not above
 * `fromLsn`, or of the whole log. `endLsn` is durable, ends a batch, and is not below `toLsn`; of the log after that little is read.
 *
 * @throws LedgerError `TIDEMARK_STATEMENT_GONE`; LogError `TIDEMARK_LOG_CORRUPT`, `TIDEMARK_LOG_IO`, `TIDEMARK_BAD_LSN` when the log that is
 *   read is deleted meanwhile.
 */
export async function* movementsOf(
  account: number,
  log: { readonly dir: string; readonly firstLsn: number },
  registry: InstrumentRegistry,
  part: { readonly fromLsn: number; readonly toLsn: number; readonly startLsn: number },
  endLsn: number,
): AsyncGenerator<Movement, void, undefined> {
  const { fromLsn, toLsn, startLsn } = part
  const snapshot = await readLedgerSnapshot(log.dir, registry, fromLsn)
  // The record with which the ledger begins ends at its `startLsn`.
  if (snapshot === undefined && log.firstLsn >= startLsn) throw statementGone(fromLsn, log.firstLsn)
  const state = snapshot ?? new LedgerState(registry)
  let found: Movement[] = []
  const fold = new LedgerFold(state)
  fold.listener = new MovementMaker(
    state,
    (movement) => {
      if (movement.lsn > fromLsn && movement.lsn <= toLsn) found.push(movement)
    },
    account,
  )
  const past = new CatchUp(log.dir, snapshot?.lsn ?? log.firstLsn, fold)
  try {
    for await (const _ of past.turnsTo(endLsn, toLsn)) {
      const ready = found
      found = []
      yield* ready
    }
  } finally {
    past.close()
  }
}

function statementGone(fromLsn: number, firstLsn: number): LedgerError {
  return new LedgerError(
    'TIDEMARK_STATEMENT_GONE',
    `The log no longer has what the statement begins with, LSN ${fromLsn}: begin it later, or let the pool keep more of its log (keepLogBytes).`,
    { fromLsn, firstLsn },
  )
}
