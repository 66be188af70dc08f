import { setImmediate as nextTurn } from 'node:timers/promises'
import { shown } from '../../base/shown.js'
import type { DurableLog } from '../../log/index.js'
import { accountOf } from '../../matching/index.js'
import { type InstrumentRegistry, ledgerRecordType } from '../../pool/index.js'
import { amountTooLarge, maxUnits, parsePositive, parseUnits } from '../amounts/amount.js'
import type { InstrumentUnits } from '../amounts/units.js'
import { badArgument, LedgerError } from '../errors.js'
import {
  encodeRecord,
  type FeesRecord,
  type LedgerRecord,
  type LimitsRecord,
  type MoneyRecord,
} from '../records.js'
import { type Digest, digestOf, isSameDigest } from '../state/keys.js'
import type { LedgerState } from '../state/ledger-state.js'
import type {
  AdjustCommand,
  DepositCommand,
  FeesCommand,
  LedgerReceipt,
  LimitsCommand,
  TransferCommand,
  WithdrawCommand,
} from '../types.js'
import { checkFields, keyOf } from './fields.js'
import { limitsRecordOf } from './limit-records.js'
import { insufficientFunds } from './refusals.js'

/** Rates are in hundred-millionths. */
const rateDecimals = 8
const wholeRate = 10 ** rateDecimals
const reasonCharsMax = 256

/** A record that was appended and is not durable yet. */
interface Operation {
  readonly lsn: number
  readonly key: string | undefined
  readonly digest: Digest | undefined
  /** What is held until then. */
  readonly cell: number
  readonly units: bigint
  /** What comes in with it, by asset. */
  readonly asset: number
  readonly incoming: bigint
  readonly receipt: Promise<LedgerReceipt>
  readonly resolve: (lsn: number) => void
}

/** The ledger's own records on their way into the log: each once for its key. */
export class MoneyCommands {
  readonly #state: LedgerState
  readonly #log: Pick<DurableLog, 'append' | 'waitDurable'>
  readonly #refusal: () => Error | undefined
  /** In the order of the log. */
  readonly #operations: Operation[] = []
  readonly #byKey = new Map<string, Operation>()
  /** By asset: what is to come in, or may be lent, so that what there is of an asset stays within 64 bits. */
  readonly #incoming: bigint[] = []

  constructor(
    state: LedgerState,
    log: Pick<DurableLog, 'append' | 'waitDurable'>,
    refusal: () => Error | undefined,
  ) {
    this.#state = state
    this.#log = log
    this.#refusal = refusal
  }

  deposit(command: DepositCommand): Promise<LedgerReceipt> {
    checkFields('deposit', command, ['account', 'asset', 'amount', 'key'])
    const asset = this.#state.assets.require(command.asset)
    const units = parsePositive('amount', command.amount, this.#scale(asset))
    const account = accountOf(command.account)
    return this.#once(
      { op: 'deposit', key: keyOf(command.key), account, asset, units: String(units) },
      { account, asset, taken: 0n, incoming: units },
    )
  }

  withdraw(command: WithdrawCommand): Promise<LedgerReceipt> {
    checkFields('withdraw', command, ['account', 'asset', 'amount', 'key'])
    const asset = this.#state.assets.require(command.asset)
    const units = parsePositive('amount', command.amount, this.#scale(asset))
    const account = accountOf(command.account)
    return this.#once(
      { op: 'withdraw', key: keyOf(command.key), account, asset, units: String(units) },
      { account, asset, taken: units, incoming: 0n },
    )
  }

  transfer(command: TransferCommand): Promise<LedgerReceipt> {
    checkFields('transfer', command, ['from', 'to', 'asset', 'amount', 'key'])
    const asset = this.#state.assets.require(command.asset)
    const units = parsePositive('amount', command.amount, this.#scale(asset))
    const account = accountOf(command.from)
    const to = accountOf(command.to)
    if (account === to)
      throw badArgument('A transfer goes from one account to another.', { from: account, to })
    return this.#once(
      { op: 'transfer', key: keyOf(command.key), account, to, asset, units: String(units) },
      { account, asset, taken: units, incoming: 0n },
    )
  }

  adjust(command: AdjustCommand): Promise<LedgerReceipt> {
    checkFields('adjust', command, ['account', 'asset', 'amount', 'key', 'reason'])
    const asset = this.#state.assets.require(command.asset)
    const units = parseUnits('amount', command.amount, this.#scale(asset))
    if (units === 0n)
      throw badArgument('An adjustment has an amount above or below zero.', { amount: command.amount })
    const account = accountOf(command.account)
    const { reason } = command
    if (reason !== undefined && (typeof reason !== 'string' || reason.length > reasonCharsMax))
      throw badArgument(`reason must be a text of at most ${reasonCharsMax} characters.`, { reason })
    return this.#once(
      {
        op: 'adjust',
        key: keyOf(command.key),
        account,
        asset,
        units: String(units),
        ...(reason !== undefined && { reason }),
      },
      { account, asset, taken: units < 0n ? -units : 0n, incoming: units > 0n ? units : 0n },
    )
  }

  /**
   * A change of fees. `lists` says how many lists are on their way: the record is appended when none is, so that they are accepted by the
   * fees by which they were held for.
   */
  async setFees(
    command: FeesCommand,
    instrumentOf: (symbol: string) => number,
    lists: () => number,
  ): Promise<LedgerReceipt> {
    checkFields('setFees', command, ['symbol', 'account', 'maker', 'taker', 'auction', 'caps', 'key'])
    const { symbol, account, maker, taker, auction = taker, caps = {} } = command
    const { assets } = this.#state
    if (typeof caps !== 'object' || caps === null)
      throw badArgument('caps must be amounts by asset.', { caps })
    const record: FeesRecord = {
      op: 'fees',
      key: keyOf(command.key),
      ...(symbol !== undefined && { instrument: instrumentOf(symbol) }),
      ...(account !== undefined && { account: accountOf(account) }),
      maker: rateOf('maker', maker, -1),
      taker: rateOf('taker', taker, 0),
      auction: rateOf('auction', auction, 0),
      caps: Object.entries(caps).map(([asset, cap]) => {
        const number = assets.require(asset)
        return [number, String(parsePositive(`caps.${asset}`, cap, this.#scale(number)))] as const
      }),
    }
    while (lists() > 0) {
      const refusal = this.#refusal()
      if (refusal) throw refusal
      await nextTurn()
    }
    return this.#once(record, { account: 0, asset: 0, taken: 0n, incoming: 0n })
  }

  setLimits(
    command: LimitsCommand,
    registry: InstrumentRegistry,
    unitsOf: (instrument: number) => InstrumentUnits,
  ): Promise<LedgerReceipt> {
    const { cells, credits } = this.#state
    const record = limitsRecordOf(command, this.#state, registry, unitsOf)
    const { account = 0, asset = 0, credit = '0' } = record
    const cell = record.asset === undefined ? 0 : cells.find(account, asset)
    // What one account may be below zero, others may have.
    const incoming = credits.growth(cell, BigInt(credit))
    return this.#once(record, { account, asset, taken: 0n, incoming })
  }

  /** Appends a record without a key. Resolves when it is durable and in the state. */
  append(record: LedgerRecord): Promise<LedgerReceipt> {
    return this.#append(record, undefined, undefined, 0, 0n, 0, 0n)
  }

  /** A record of the ledger's own is durable. */
  settle(lsn: number): void {
    const operation = this.#operations.shift()
    if (operation === undefined) return
    const { key, cell, units, asset, incoming } = operation
    if (cell !== 0) this.#state.cells.held[cell]! -= units
    if (incoming !== 0n) this.#incoming[asset]! -= incoming
    if (key !== undefined) this.#byKey.delete(key)
    operation.resolve(lsn)
  }

  /** The ledger hears of no more records: what is on its way is settled when it is durable. */
  close(): void {
    for (const { lsn, resolve } of this.#operations.splice(0)) {
      this.#log.waitDurable(lsn).then(
        () => resolve(lsn),
        () => {}, // Its receipt is rejected already.
      )
    }
  }

  #scale(asset: number): number {
    return this.#state.assets.of(asset).scale
  }

  #once(
    record: MoneyRecord | FeesRecord | LimitsRecord,
    { account, asset, taken, incoming }: { account: number; asset: number; taken: bigint; incoming: bigint },
  ): Promise<LedgerReceipt> {
    const { key } = record
    const digest = digestOf(record)
    const before = this.#byKey.get(key)
    const known = before ?? this.#state.keys.find(key)
    if (known !== undefined) {
      if (!isSameDigest(known.digest!, digest)) throw keyReused(key)
      return before === undefined
        ? Promise.resolve({ lsn: (known as { lsn: number }).lsn, key, repeated: true })
        : before.receipt.then((receipt) => ({ ...receipt, repeated: true }))
    }
    const { cells, assets, supply, credits } = this.#state
    const cell = taken === 0n ? 0 : cells.find(account, asset)
    if (taken !== 0n && cells.available(cell) < taken)
      throw insufficientFunds(assets.of(asset), account, taken, cells.available(cell), 0n)
    const there = (supply[asset] ?? 0n) + credits.granted(asset)
    const sum = there + (this.#incoming[asset] ?? 0n) + incoming
    if (incoming > 0n && sum > maxUnits) throw amountTooLarge({ asset: assets.of(asset).id })
    return this.#append(record, key, digest, cell, taken, asset, incoming)
  }

  #append(
    record: LedgerRecord,
    key: string | undefined,
    digest: Digest | undefined,
    cell: number,
    units: bigint,
    asset: number,
    incoming: bigint,
  ): Promise<LedgerReceipt> {
    const refusal = this.#refusal()
    if (refusal) throw refusal
    const lsn = this.#log.append(encodeRecord(record), ledgerRecordType)
    if (cell !== 0) this.#state.cells.held[cell]! += units
    if (incoming !== 0n) this.#incoming[asset] = (this.#incoming[asset] ?? 0n) + incoming
    let resolve!: (lsn: number) => void
    const receipt = new Promise<LedgerReceipt>((done, reject) => {
      resolve = (at) => done({ lsn: at, key: key ?? '', repeated: false })
      // It is settled by the record itself; what ends the log before that is heard here.
      this.#log.waitDurable(lsn).catch(reject)
    })
    const operation = { lsn, key, digest, cell, units, asset, incoming, receipt, resolve }
    this.#operations.push(operation)
    if (key !== undefined) this.#byKey.set(key, operation)
    return receipt
  }
}

/** A part of 1 in hundred-millionths. */
function rateOf(field: string, value: unknown, least: number): number {
  const rate = Number(parseUnits(field, value, rateDecimals))
  if (rate >= least * wholeRate && rate <= wholeRate) return rate
  throw badArgument(`${field} must be a part of 1 from ${least} to 1, not ${shown(value)}.`, { field, value })
}

function keyReused(key: string): LedgerError {
  return new LedgerError(
    'TIDEMARK_KEY_REUSED',
    `The key ${shown(key)} was given to a command with other fields. Send a command again with the same fields, or another one with a key of its own.`,
    { key },
  )
}
