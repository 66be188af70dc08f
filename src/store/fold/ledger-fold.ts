import {
  Assets,
  baseUnits,
  decodeRecord,
  type FeeRates,
  FeeTable,
  feesOfTrade,
  type InstrumentUnits,
  type LedgerRecord,
  type MoneyRecord,
  type MovementKind,
  noFees,
  quoteUnits,
  unitsOf,
} from '../../ledger/index.js'
import { commandGrids, type InstrumentDefinition, type InstrumentDetails } from '../../matching/index.js'
import { balanceKinds, ledgerEntryKinds } from '../schema/tables.js'
import type { StoreTarget } from '../targets/target.js'
import type { PoolRows, RecordPlace, TradeOfRecord } from './pool-rows.js'

/** What a trade cost one side: units of an asset by its number, below zero for a rebate. */
interface SideFee {
  readonly asset: number
  readonly units: bigint
}

const noSideFee: SideFee = { asset: -1, units: 0n }

/** What a trade cost its two orders. */
export interface TradeFeeRow {
  readonly maker: SideFee
  readonly taker: SideFee
}

const noTradeFees: TradeFeeRow = { maker: noSideFee, taker: noSideFee }

/** The entries that say what orders pay, and in what. */
const remembered = ['open', 'assets', 'fees'].map((op) => ledgerEntryKinds.indexOf(op as LedgerRecord['op']))

/**
 * Makes rows of a ledger's records, and of what trades change of balances. Of the ledger's state it knows what that takes: assets, fee
 * schedules, what instruments are traded in, and what open orders pay where they pay anything. All of it is in the target, too.
 */
export class LedgerFold {
  #rows: PoolRows
  readonly #assets = new Assets()
  readonly #fees = new FeeTable()
  /** The account that gets the fees; -1 until a ledger begins. */
  #venue = -1
  readonly #definitions = new Map<number, InstrumentDefinition>()
  readonly #units = new Map<number, InstrumentUnits>()
  /** By instrument and id: open orders that pay fees. */
  readonly #rates = new Map<number, Map<number, FeeRates>>()
  #place: RecordPlace = { instrumentId: -1, lsn: 0, timeUs: 0 }
  /** Changes of balances in the record so far. */
  #index = 0

  constructor(rows: PoolRows) {
    this.#rows = rows
  }

  /** Reads what the target has, as of the last record that is stored. */
  async load(target: StoreTarget): Promise<void> {
    const entries = await target.run(
      `SELECT lsn, details FROM ledger_entry_rows WHERE entry IN (${remembered.join(', ')}) ORDER BY lsn`,
    )
    if (entries.rows.length === 0) {
      await this.#loadInstruments(target)
      return
    }
    for (const { lsn, details } of entries.rows)
      this.#learn(JSON.parse(String(details)) as LedgerRecord, Number(lsn))
    await this.#loadInstruments(target)
    if (this.#fees.isEmpty) return
    const { rows } = await target.run(
      'SELECT instrument_id, order_id, order_lsn, account FROM open_order_rows',
    )
    for (const row of rows) {
      const [instrument, account] = [Number(row['instrument_id']), Number(row['account'])]
      this.#setRates(
        instrument,
        Number(row['order_id']),
        this.#fees.at(instrument, account, Number(row['order_lsn'])),
      )
    }
  }

  async #loadInstruments(target: StoreTarget): Promise<void> {
    const { rows } = await target.run(
      'SELECT instrument_id, symbol, tick_size, lot_size, base_asset, quote_asset FROM instruments',
    )
    for (const row of rows) {
      const instrumentId = Number(row['instrument_id'])
      this.#definitions.set(instrumentId, {
        instrumentId,
        symbol: String(row['symbol']),
        tickSize: String(row['tick_size']),
        lotSize: String(row['lot_size']),
        replacePriority: 'keep-on-reduce',
        selfTradePrevention: 'none',
        // An instrument that names none has not been traded since a ledger began.
        details: { baseAsset: String(row['base_asset']), quoteAsset: String(row['quote_asset']) },
      })
    }
  }

  /** The rows of the next transaction. */
  useRows(rows: PoolRows): void {
    this.#rows = rows
  }

  begin(place: RecordPlace): void {
    this.#place = place
    this.#index = 0
  }

  instrument(definition: InstrumentDefinition): void {
    this.#definitions.set(definition.instrumentId, definition)
  }

  instrumentChanged(instrumentId: number, details: InstrumentDetails): void {
    const before = this.#definitions.get(instrumentId)
    if (before) this.#definitions.set(instrumentId, { ...before, details })
  }

  accepted(orderId: number, account: number): void {
    if (this.#fees.isEmpty) return
    const { instrumentId } = this.#place
    this.#setRates(instrumentId, orderId, this.#fees.rates[this.#fees.find(instrumentId, account)]!)
  }

  ended(orderId: number): void {
    this.#rates.get(this.#place.instrumentId)?.delete(orderId)
  }

  #setRates(instrument: number, orderId: number, rates: FeeRates): void {
    if (rates === noFees) return
    let ofInstrument = this.#rates.get(instrument)
    if (!ofInstrument) this.#rates.set(instrument, (ofInstrument = new Map()))
    ofInstrument.set(orderId, rates)
  }

  /** A record of the ledger's own. Before one that begins a ledger there is nothing to count in: such a one is passed over. */
  record(payload: Uint8Array): void {
    const { lsn } = this.#place
    const record = decodeRecord(payload, lsn)
    if (this.#venue < 0 && record.op !== 'open') return
    this.#learn(record, lsn)
    const first = this.#assets.size - ('assets' in record ? record.assets.length : 0)
    for (let asset = first; asset < this.#assets.size; asset++)
      this.#rows.assets.push({ number: asset, lsn, ...this.#assets.of(asset) })
    this.#entry(record)
    if ('units' in record) this.#move(record)
  }

  #learn(record: LedgerRecord, lsn: number): void {
    if (record.op === 'open') this.#venue = record.venue
    if (record.op === 'open' || record.op === 'assets')
      for (const asset of record.assets) this.#assets.add(asset)
    if (record.op !== 'fees') return
    const { instrument, account, maker, taker, auction } = record
    const caps = new Map(record.caps.map(([asset, cap]) => [asset, BigInt(cap)]))
    this.#fees.set(instrument, account, { maker, taker, auction, caps }, lsn)
  }

  #entry(record: LedgerRecord): void {
    const rows = this.#rows.entries
    const { columns } = rows
    const row = rows.add()
    const { lsn, timeUs } = this.#place
    columns.lsn.set(row, lsn)
    columns.time.set(row, timeUs)
    columns.entry.set(row, ledgerEntryKinds.indexOf(record.op))
    columns.key.set(row, 'key' in record ? record.key : null)
    columns.account.set(row, ('account' in record ? record.account : undefined) ?? -1)
    columns.to_account.set(row, record.op === 'transfer' ? record.to : -1)
    columns.asset_id.set(row, 'units' in record ? record.asset : -1)
    columns.units.values[row] = 'units' in record ? BigInt(record.units) : 0n
    columns.instrument_id.set(row, ('instrument' in record ? record.instrument : undefined) ?? -1)
    columns.details.set(row, JSON.stringify(record))
  }

  #move(record: MoneyRecord): void {
    const { op, account, asset } = record
    const units = BigInt(record.units)
    if (op === 'deposit' || op === 'adjust') this.#change(account, asset, op, units, 0, 0)
    else this.#change(account, asset, op, -units, 0, 0)
    if (op === 'transfer') this.#change(record.to, asset, op, units, 0, 0)
  }

  /** What a trade moves, and what it costs, as the ledger counts it. */
  trade(trade: TradeOfRecord, takerSells: boolean, isUncross: boolean): TradeFeeRow {
    if (this.#venue < 0) return noTradeFees
    const { instrumentId } = this.#place
    const { tradeId, makerOrderId, takerOrderId } = trade
    const units = this.#unitsOf(instrumentId)
    const { base: baseAsset, quote: quoteAsset } = units
    const base = baseUnits(units, trade.quantity)
    const quote = quoteUnits(units, trade.price, trade.quantity)
    const maker = { account: trade.makerAccount, orderId: makerOrderId }
    const taker = { account: trade.takerAccount, orderId: takerOrderId }
    const [buyer, seller] = takerSells ? [maker, taker] : [taker, maker]
    const change = (of: typeof maker, asset: number, kind: MovementKind, amount: bigint) =>
      this.#change(of.account, asset, kind, amount, of.orderId, tradeId)
    change(buyer, quoteAsset, 'trade', -quote)
    change(buyer, baseAsset, 'trade', base)
    change(seller, baseAsset, 'trade', -base)
    change(seller, quoteAsset, 'trade', quote)
    const rates = this.#rates.get(instrumentId)
    const ofBuyer = rates?.get(buyer.orderId) ?? noFees
    const ofSeller = rates?.get(seller.orderId) ?? noFees
    if (ofBuyer === noFees && ofSeller === noFees) return noTradeFees
    const basis = { baseAsset, quoteAsset, base, quote, isUncross, takerSells }
    const { buyerFee, sellerFee, buyerRebate, sellerRebate } = feesOfTrade(basis, ofBuyer, ofSeller)
    const fee = (of: typeof maker, asset: number, kind: MovementKind, amount: bigint) => {
      if (amount !== 0n) change(of, asset, kind, amount)
    }
    fee(buyer, baseAsset, 'fee', -buyerFee)
    fee(seller, quoteAsset, 'fee', -sellerFee)
    fee(buyer, quoteAsset, 'rebate', buyerRebate)
    fee(seller, baseAsset, 'rebate', sellerRebate)
    const account = this.#venue
    fee({ ...buyer, account }, baseAsset, 'fee', buyerFee - sellerRebate)
    fee({ ...seller, account }, quoteAsset, 'fee', sellerFee - buyerRebate)
    const buyers = sideFee(baseAsset, buyerFee, quoteAsset, buyerRebate)
    const sellers = sideFee(quoteAsset, sellerFee, baseAsset, sellerRebate)
    return takerSells ? { maker: buyers, taker: sellers } : { maker: sellers, taker: buyers }
  }

  #unitsOf(instrumentId: number): InstrumentUnits {
    const known = this.#units.get(instrumentId)
    if (known) return known
    const definition = this.#definitions.get(instrumentId)!
    const units = unitsOf({ definition, grids: commandGrids(definition) }, this.#assets)
    this.#units.set(instrumentId, units)
    return units
  }

  #change(
    account: number,
    asset: number,
    kind: MovementKind,
    units: bigint,
    orderId: number,
    tradeId: number,
  ): void {
    const rows = this.#rows.balances
    const { columns } = rows
    const row = rows.add()
    const { instrumentId, lsn, timeUs } = this.#place
    columns.lsn.set(row, lsn)
    columns.change_index.set(row, this.#index++)
    columns.time.set(row, timeUs)
    columns.account.set(row, account)
    columns.asset_id.set(row, asset)
    columns.kind.set(row, balanceKinds.indexOf(kind))
    columns.units.values[row] = units
    columns.instrument_id.set(row, tradeId === 0 ? -1 : instrumentId)
    columns.order_id.set(row, orderId)
    columns.trade_id.set(row, tradeId)
  }
}

function sideFee(received: number, paid: bigint, given: number, got: bigint): SideFee {
  if (paid === 0n && got === 0n) return noSideFee
  return got === 0n ? { asset: received, units: paid } : { asset: given, units: paid - got }
}
