import { expect } from 'vitest'
import { LedgerGuard } from '#tidemark/ledger/commands/guard.js'
import { LedgerFold } from '#tidemark/ledger/fold.js'
import type { LedgerError } from '#tidemark/ledger/index.js'
import { encodeRecord, type LedgerRecord } from '#tidemark/ledger/records.js'
import { type LedgerImage, LedgerState } from '#tidemark/ledger/state/ledger-state.js'
import {
  type DecodedCommand,
  decodeCommand,
  decodeEvents,
  encodeInstrument,
  type InstrumentDefinition,
  MatchingEngine,
  RecordBuffer,
} from '#tidemark/matching/index.js'
import { commandRecordType, InstrumentRegistry, ledgerRecordType } from '#tidemark/pool/index.js'
import { ManualClock } from './manual-clock.js'
import { NaiveLedger, type NaiveRates, type NaiveUnits } from './naive-ledger.js'
import { NaiveLimits, type NaiveOrderLimits, type NaivePosition } from './naive-limits.js'

const venueAccount = 77

interface Asset {
  readonly id: string
  readonly scale: number
}

interface Logged {
  readonly words: Int32Array
  readonly payload: Uint8Array
  readonly lsn: number
  readonly type: number
  /** What all balances and holds are when it is folded. */
  readonly balances: ReadonlyMap<string, bigint>
  readonly holds: ReadonlyMap<string, bigint>
  readonly lastPrices: ReadonlyMap<number, number>
  readonly positions: ReadonlyMap<string, NaivePosition>
}

/**
 * A ledger over a matching engine in this thread: commands pass the guard, the engine executes them, and their records wait until they
 * are made durable, as those of a pool do. After each record everything is compared with a naive ledger.
 */
export class LedgerVenue {
  readonly engine = new MatchingEngine()
  readonly state: LedgerState
  readonly naive: NaiveLedger
  readonly limits = new NaiveLimits()
  readonly guard: LedgerGuard
  readonly #assets: readonly Asset[]
  readonly #units: ReadonlyMap<number, NaiveUnits>
  readonly #fold: LedgerFold
  readonly #record = new RecordBuffer()
  readonly #log: Logged[] = []
  readonly #all: Logged[] = []
  readonly #registry = new InstrumentRegistry(1)
  readonly #schedules = new Map<string, NaiveRates>()
  /** The last record that is durable. */
  #durable: Pick<Logged, 'balances' | 'holds' | 'lastPrices' | 'positions'> = {
    balances: new Map(),
    holds: new Map(),
    lastPrices: new Map(),
    positions: new Map(),
  }
  #lsn = 0
  #keys = 0
  #snapshot: { readonly image: LedgerImage; readonly from: number } | undefined

  constructor(definitions: readonly InstrumentDefinition[], assets: readonly Asset[]) {
    this.#assets = assets
    this.#registry.restore(definitions)
    this.state = new LedgerState(this.#registry)
    this.guard = new LedgerGuard(this.state, this.#registry, 1, new ManualClock())
    this.#fold = new LedgerFold(this.state, { holds: this.guard.holds, settle() {} })
    const scaleOf = (asset: string | undefined) => assets.find(({ id }) => id === asset)!.scale
    const units = new Map<number, NaiveUnits>()
    const words = new Int32Array(512)
    for (const { instrumentId, tickSize, lotSize, details } of definitions) {
      const [base, quote] = [details!.baseAsset!, details!.quoteAsset!]
      const [lots, lotScale] = decimalOf(lotSize)
      const [ticks, tickScale] = decimalOf(tickSize)
      units.set(instrumentId, {
        base,
        quote,
        lot: inUnits(lots, lotScale, scaleOf(base)),
        step: inUnits(ticks * lots, tickScale + lotScale, scaleOf(quote)),
      })
    }
    this.naive = new NaiveLedger(units, venueAccount)
    this.#units = units
    this.own({ op: 'open', assets, venue: venueAccount })
    this.settle()
    for (const definition of definitions) {
      encodeInstrument(words, 0, 0, 0, definition)
      this.execute(words, 0)
    }
    this.settle()
  }

  /** Records that are not durable yet. */
  get waiting(): number {
    return this.#log.length
  }

  deposit(account: number, asset: string, units: bigint): void {
    const number = this.state.assets.find(asset)
    this.own({ op: 'deposit', key: `d${this.#keys++}`, account, asset: number, units: String(units) }, () =>
      this.naive.deposit(account, asset, units),
    )
  }

  /** Changes the fees of an instrument, or of all, and an account, or all. */
  setFees(
    instrument: number | undefined,
    account: number | undefined,
    { maker, taker, auction, caps }: NaiveRates,
  ): void {
    this.#schedules.set(`${instrument ?? '*'}/${account ?? '*'}`, { maker, taker, auction, caps })
    this.naive.rates = (of, owner) =>
      this.#schedules.get(`${of}/${owner}`) ??
      this.#schedules.get(`*/${owner}`) ??
      this.#schedules.get(`${of}/*`) ??
      this.#schedules.get('*/*') ?? { maker: 0n, taker: 0n, auction: 0n, caps: new Map() }
    this.own({
      op: 'fees',
      key: `f${this.#keys++}`,
      ...(instrument !== undefined && { instrument }),
      ...(account !== undefined && { account }),
      maker: Number(maker),
      taker: Number(taker),
      auction: Number(auction),
      caps: [...caps].map(([asset, cap]) => [this.state.assets.find(asset), String(cap)] as const),
    })
  }

  /** Changes the limits of orders in an instrument, of an account or of all. */
  setLimits(instrument: number, account: number | undefined, limits: NaiveOrderLimits): void {
    const { distance, position } = limits
    const record = {
      op: 'limits',
      key: `l${this.#keys++}`,
      instrument,
      ...(account !== undefined && { account }),
      ...(distance !== undefined && { distance }),
      ...(position !== undefined && { position: String(position * this.#units.get(instrument)!.lot) }),
    } as const
    this.own(record, () => this.limits.set(instrument, account, limits))
  }

  setCredit(account: number, asset: string, units: bigint): void {
    const number = this.state.assets.find(asset)
    this.own({ op: 'limits', key: `l${this.#keys++}`, account, asset: number, credit: String(units) }, () =>
      this.limits.setCredit(account, asset, units),
    )
  }

  /** Logs a record of the ledger's own; `change` does to the naive ledger what it says. */
  own(record: LedgerRecord, change: () => void = () => {}): void {
    change()
    const payload = encodeRecord(record)
    this.#append(new Int32Array(payload.buffer, 0, payload.byteLength >> 2), ledgerRecordType)
  }

  /** Executes the command at `at`; throws what refuses it. */
  execute(words: Int32Array, at: number): void {
    this.#admit(words, at)
    const record = this.#record
    record.reset()
    this.engine.apply(words, at, record)
    const logged = record.i32.slice(0, record.byteLength >> 2)
    const logs = [decodeCommand(logged, 0)!, decodeEvents(logged, 0, logged.length)] as const
    this.naive.record(...logs)
    this.limits.record(...logs)
    this.#append(logged, commandRecordType)
  }

  /** A command is refused for a limit just when the naive limits say so. */
  #admit(words: Int32Array, at: number): void {
    const command = decodeCommand(words, at)!
    const isFar = this.limits.isFar(command, this.#durable.lastPrices)
    const isPoor = this.#isPoor(command)
    const isTooMuch = this.#isTooMuch(command)
    try {
      this.guard.admit(0, words, at)
    } catch (error) {
      const { code } = error as LedgerError
      if (code === 'TIDEMARK_PRICE_DISTANCE_LIMIT') expect(isFar, String(error)).toBe(true)
      if (code === 'TIDEMARK_INSUFFICIENT_FUNDS') expect(isPoor ?? true, String(error)).toBe(true)
      if (code === 'TIDEMARK_POSITION_LIMIT') expect(isTooMuch ?? true, String(error)).toBe(true)
      throw error
    }
    expect(isTooMuch ?? false, 'a position may be too large').toBe(false)
    expect(isFar, 'a price is too far').toBe(false)
    expect(isPoor ?? false, 'an account pays what it has not').toBe(false)
  }

  #isTooMuch(command: DecodedCommand): boolean | undefined {
    if (command.type !== 'new' || this.waiting > 0 || command.quoteQuantity !== undefined) return undefined
    return this.limits.isTooMuch(command, this.#durable.positions)
  }

  /** Whether an account can't pay for a new order; `undefined` where that is not known here, as for what is on its way. */
  #isPoor(command: DecodedCommand): boolean | undefined {
    const needed = command.type === 'new' && this.waiting === 0 ? this.naive.needOf(command) : undefined
    if (command.type !== 'new' || needed === undefined) return undefined
    const key = `${command.account}/${needed.asset}`
    const free = (this.#durable.balances.get(key) ?? 0n) - (this.#durable.holds.get(key) ?? 0n)
    return free + this.limits.credit(command.account, needed.asset).units < needed.need
  }

  #append(words: Int32Array, type: number): void {
    this.#lsn += words.byteLength + 8
    const payload = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
    const logged = {
      words,
      payload,
      lsn: this.#lsn,
      type,
      balances: new Map(this.naive.balances),
      lastPrices: this.limits.lastPrices,
      positions: this.limits.positions(this.engine),
      holds: this.naive.holds(this.engine, type === commandRecordType ? words[1]! : -1),
    }
    this.#log.push(logged)
    this.#all.push(logged)
  }

  /** Makes so many records durable, all unless said, and compares after each. */
  settle(count = this.#log.length): void {
    for (let i = 0; i < count && this.#log.length > 0; i++) {
      const logged = this.#log.shift()!
      this.#observe(this.#fold, logged)
      this.#compare(logged)
      this.#durable = logged
    }
  }

  #observe(fold: LedgerFold, { words, lsn, type, payload }: Logged): void {
    fold.observe(words, 0, words.length, lsn, type, 1, { payload, timestampUs: 0 })
  }

  #compare({ balances, holds, positions }: Logged): void {
    this.#comparePositions(positions)
    const { cells } = this.state
    const sums = new Array<bigint>(this.#assets.length).fill(0n)
    const held = new Map<string, bigint>()
    for (let cell = 1; cell < cells.end; cell++) {
      const asset = cells.asset[cell]!
      const key = `${cells.account[cell]}/${this.#assets[asset]!.id}`
      if (cells.balance[cell] !== (balances.get(key) ?? 0n))
        expect(cells.balance[cell], `balance ${key}`).toBe(balances.get(key) ?? 0n)
      const { most } = this.limits.credit(cells.account[cell]!, this.#assets[asset]!.id)
      if (cells.available(cell) < -most)
        expect({ balance: cells.balance[cell], held: cells.held[cell] }, `below its holds: ${key}`).toBe(0)
      sums[asset]! += cells.balance[cell]!
      held.set(key, cells.held[cell]!)
    }
    for (const [asset, sum] of sums.entries())
      if (sum !== this.state.supply[asset]) expect(sum, 'sum of all').toBe(this.state.supply[asset])
    for (const [key, amount] of balances)
      if (amount !== 0n && !held.has(key)) expect.fail(`no balance of ${key}, which has ${amount}`)
    // What commands on their way hold comes on top.
    for (const key of new Set([...held.keys(), ...holds.keys()])) {
      const mine = held.get(key) ?? 0n
      const naive = holds.get(key) ?? 0n
      const isRight = this.#log.length === 0 ? mine === naive : mine >= naive
      if (!isRight) expect(mine, `holds ${key}`).toBe(naive)
    }
  }

  #comparePositions(positions: ReadonlyMap<string, NaivePosition>): void {
    const counted = this.state.positions.stored()
    const keys = counted.flatMap(([instrument, of]) => of.map(([account]) => `${instrument}/${account}`))
    for (const key of new Set([...keys, ...positions.keys()])) {
      const [instrument, account] = key.split('/').map(Number)
      const none = { net: 0n, buying: 0n, selling: 0n }
      const mine = this.state.positions.of(instrument!, account!) ?? none
      const naive = positions.get(key) ?? none
      const isSame = mine.buying === naive.buying && mine.selling === naive.selling
      const isMore = mine.buying >= naive.buying && mine.selling >= naive.selling
      if (mine.net !== naive.net || !(this.#log.length === 0 ? isSame : isMore))
        expect(mine, `position ${key}`).toEqual(naive)
    }
  }

  /** Takes a snapshot of what is durable, with which `compareReplayed` begins too. */
  takeSnapshot(): void {
    const { facts, arrays } = this.state.image()
    // As a file has it.
    const image = { facts: JSON.parse(JSON.stringify(facts)), arrays: structuredClone(arrays) }
    this.#snapshot = { image, from: this.#all.length - this.#log.length }
  }

  /** Folds everything again from the beginning, and from the snapshot, as openings do, and compares the ends. */
  compareReplayed(): void {
    const { image, from } = this.#snapshot!
    const begun = [new LedgerState(this.#registry), LedgerState.restored(this.#registry, image)]
    for (const [i, state] of begun.entries()) {
      const fold = new LedgerFold(state)
      for (const logged of this.#all.slice(i === 0 ? 0 : from)) this.#observe(fold, logged)
      expect(stateText(state)).toEqual(stateText(this.state))
    }
  }
}

/** Every balance and hold, and every open order. */
function stateText(state: LedgerState): unknown {
  const { cells, orders, supply, keys, lastPrices } = state
  const balances: string[] = []
  for (let cell = 1; cell < cells.end; cell++)
    if (cells.balance[cell] !== 0n || cells.held[cell] !== 0n)
      balances.push(`${cells.account[cell]} ${cells.asset[cell]} ${cells.balance[cell]} ${cells.held[cell]}`)
  const live: string[] = []
  for (let order = 1; order < orders.end; order++)
    if (orders.instrument[order]! >= 0)
      live.push(
        `${orders.instrument[order]} ${orders.orderId[order]} ${orders.price[order]} ${orders.open[order]} ${orders.hold[order]}`,
      )
  return {
    balances: balances.sort(),
    live: live.sort(),
    supply,
    keys: keys.size,
    lastPrices,
    credits: state.credits.stored(cells),
    positions: positionsText(state),
  }
}

/** Every position, with what is open. */
function positionsText({ positions }: LedgerState): string[] {
  const found: string[] = []
  for (const [instrument, of] of positions.stored())
    for (const [account] of of) {
      const { net, buying, selling } = positions.of(instrument, account)!
      found.push(`${instrument} ${account} ${net} ${buying} ${selling}`)
    }
  return found.sort()
}

function decimalOf(text: string): [bigint, number] {
  const [integer = '', fraction = ''] = text.split('.')
  return [BigInt(integer + fraction), fraction.length]
}

function inUnits(digits: bigint, scale: number, assetScale: number): bigint {
  const shift = assetScale - scale
  return shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift)
}
