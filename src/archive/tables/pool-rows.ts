import {
  acceptedOrderAt,
  commandInstrument,
  commandKinds,
  commandTagHigh,
  commandTagLow,
  type DecodedCommand,
  decodeCommand,
  decodeDetails,
  EVENT_HEADER_WORDS,
  eventKinds,
  flagsOf,
  type Grid,
  NEW_HAS_REQUEST_ID,
  NewOrderFields,
  OrderEventFields,
  parseGrid,
  phaseOf,
  REPEATED_STATUS,
  readU64,
  reasonOf,
  sideCodes,
  TRADE_IN_UNCROSS,
  TradeFields,
} from '../../matching/index.js'
import { commandRecordType, describeDetails, describeTerms } from '../../pool/index.js'
import type { ArchivedInstrument, Manifest } from '../manifest.js'
import { type KeyTexts, RowSet } from './columns.js'
import type { LogRows } from './log-rows.js'
import { commandsTable, orderEventsTable, reasonOffsets, tradesTable } from './pool-tables.js'

const noKey = -1
const oneStep: Grid = { mantissa: 1, scale: 0 }

interface KnownInstrument extends ArchivedInstrument {
  readonly price: Grid
  readonly quantity: Grid
}

/** The instruments of a pool: what the rows of its tables are sorted by. The key is the instrument's number. */
export class InstrumentTexts implements KeyTexts {
  readonly #instruments = new Map<number, KnownInstrument>()

  constructor(instruments: readonly ArchivedInstrument[] = []) {
    for (const instrument of instruments) this.add(instrument)
  }

  add({ id, symbol, tickSize, lotSize }: ArchivedInstrument): void {
    const [price, quantity] = [parseGrid('tickSize', tickSize), parseGrid('lotSize', lotSize)]
    this.#instruments.set(id, { id, symbol, tickSize, lotSize, price, quantity })
  }

  list(): ArchivedInstrument[] {
    return [...this.#instruments.values()].map(({ id, symbol, tickSize, lotSize }) => ({
      id,
      symbol,
      tickSize,
      lotSize,
    }))
  }

  has(id: number): boolean {
    return this.#instruments.has(id)
  }

  text(_column: string, id: number): string {
    return this.#instruments.get(id)?.symbol ?? ''
  }

  grid(id: number, of: 'price' | 'quantity'): Grid {
    return this.#instruments.get(id)?.[of] ?? oneStep
  }
}

/** Read again for every event. */
const trade = new TradeFields()
const order = new OrderEventFields()
const accepted = new NewOrderFields()

/** Makes rows of a pool's records: one of its command, and one of each event. */
export class PoolRows implements LogRows {
  readonly trades = new RowSet(tradesTable)
  readonly events = new RowSet(orderEventsTable)
  readonly commands = new RowSet(commandsTable)
  readonly texts: InstrumentTexts
  #tagLow = 0
  #tagHigh = 0

  constructor(texts: InstrumentTexts) {
    this.texts = texts
  }

  get sets(): readonly RowSet[] {
    return [this.trades, this.events, this.commands]
  }

  /** What the manifest says of the log after these records. */
  get state(): Pick<Manifest, 'instruments'> {
    return { instruments: this.texts.list() }
  }

  record(words: Int32Array, from: number, to: number, lsn: number, type: number, timeUs: number): void {
    if (type !== commandRecordType) return
    const first = from + (words[from]! >>> 18)
    if ((words[from]! & 0xff) === commandKinds.instrument) this.#learn(words, from, first, to)
    const instrumentId = commandInstrument(words, from)
    const key = this.texts.has(instrumentId) ? instrumentId : noKey
    this.#tagLow = commandTagLow(words, from)
    this.#tagHigh = commandTagHigh(words, from)
    this.#command(words, from, key, lsn, timeUs)
    let index = 0
    for (let at = first; at < to; at += words[at]! >>> 18) {
      if ((words[at]! & 0xff) === eventKinds.trade) {
        this.#trade(words, from, at, key, lsn, timeUs, index, instrumentId)
      } else {
        this.#event(words, from, at, key, lsn, timeUs, index, instrumentId)
      }
      index++
    }
  }

  /** The caller's 64 bits, where they are not 0. */
  #setTag(set: RowSet, row: number): void {
    if (this.#tagLow !== 0 || this.#tagHigh !== 0) set.setWide('tag', row, this.#tagLow, this.#tagHigh)
  }

  /** Takes note of the instrument that a record creates, if it does. */
  #learn(words: Int32Array, from: number, first: number, to: number): void {
    const created = first < to && (words[first]! & 0xff) === eventKinds['instrument-created']
    const command = created ? decodeCommand(words, from) : undefined
    if (command?.type !== 'instrument') return
    const { instrumentId: id, symbol, tickSize, lotSize } = command
    this.texts.add({ id, symbol, tickSize, lotSize })
  }

  #trade(
    words: Int32Array,
    from: number,
    at: number,
    key: number,
    lsn: number,
    timeUs: number,
    index: number,
    instrumentId: number,
  ): void {
    trade.read(words, at, from)
    const row = this.trades.add(key)
    const { numbers } = this.trades
    numbers['trade_id']![row] = trade.tradeId
    numbers['time']![row] = timeUs
    const flags = flagsOf(words, at)
    numbers['taker_side']![row] = flags & 1
    numbers['uncross']![row] = (flags & TRADE_IN_UNCROSS) === 0 ? 0 : 1
    numbers['maker_order_id']![row] = trade.makerOrderId
    numbers['taker_order_id']![row] = trade.takerOrderId
    numbers['maker_account']![row] = trade.makerAccount
    numbers['taker_account']![row] = trade.takerAccount
    numbers['price_ticks']![row] = trade.price
    numbers['quantity_lots']![row] = trade.quantity
    numbers['maker_remaining_lots']![row] = trade.makerRemaining
    numbers['taker_remaining_lots']![row] = trade.takerRemaining
    numbers['lsn']![row] = lsn
    numbers['event_index']![row] = index
    numbers['instrument_id']![row] = instrumentId
    this.#setTag(this.trades, row)
  }

  #event(
    words: Int32Array,
    from: number,
    at: number,
    key: number,
    lsn: number,
    timeUs: number,
    index: number,
    instrumentId: number,
  ): void {
    const kind = words[at]! & 0xff
    const row = this.events.add(key)
    const { numbers } = this.events
    numbers['time']![row] = timeUs
    numbers['event']![row] = kind
    numbers['lsn']![row] = lsn
    numbers['event_index']![row] = index
    numbers['instrument_id']![row] = instrumentId
    this.#setTag(this.events, row)
    switch (kind) {
      case eventKinds.accepted:
        this.#accepted(words, acceptedOrderAt(words, at, from), from, row, key)
        break
      case eventKinds.cancelled:
        this.#order(words, from, at, row, reasonOffsets.cancelled)
        break
      case eventKinds.replaced:
        this.#order(words, from, at, row, reasonOffsets.replaced)
        break
      case eventKinds.rejected:
        this.#rejected(words, from, at, row)
        break
      case eventKinds.entered:
        this.#order(words, from, at, row, undefined)
        this.events.others['terms']![row] = JSON.stringify({ waiting: reasonOf(words, at) === 1 })
        break
      case eventKinds.triggered:
        this.#order(words, from, at, row, undefined)
        break
      case eventKinds.repeated:
        this.#repeated(words, from, at, row)
        break
      case eventKinds['account-blocked']:
      case eventKinds['account-unblocked']:
        numbers['account']![row] = words[at + 1]! >>> 0
        break
      case eventKinds['instrument-changed']:
        this.events.others['details']![row] = this.#detailsText(words, at, key)
        break
      case eventKinds['phase-changed']: {
        const {
          phase,
          closing = false,
          takesOrders = false,
        } = phaseOf(reasonOf(words, at), flagsOf(words, at))
        this.events.others['details']![row] = JSON.stringify({ phase, closing, takesOrders })
        break
      }
      case eventKinds['trade-busted']:
        this.events.others['details']![row] = JSON.stringify({ tradeId: readU64(words, from + 2) })
        break
    }
  }

  /** What an instrument says of itself, with prices and quantities as decimals on its grids. */
  #detailsText(words: Int32Array, at: number, key: number): string {
    const { set } = decodeDetails(words, at + EVENT_HEADER_WORDS)
    const grids = { price: this.texts.grid(key, 'price'), quantity: this.texts.grid(key, 'quantity') }
    return JSON.stringify(describeDetails(set, grids))
  }

  /** `at`: where the new order stands; -1 in a damaged log. */
  #accepted(words: Int32Array, at: number, from: number, row: number, key: number): void {
    if (at < 0) return
    accepted.read(words, at)
    const { numbers } = this.events
    numbers['order_id']![row] = accepted.orderId
    numbers['account']![row] = accepted.account
    numbers['side']![row] = accepted.sell
    numbers['filled_lots']![row] = 0
    this.#terms(this.events, accepted, row, key, words, at, from)
  }

  /** What a new order says of itself, in its command and where it was accepted. */
  #terms(
    { numbers, others }: RowSet,
    fields: NewOrderFields,
    row: number,
    key: number,
    words: Int32Array,
    at: number,
    from: number,
  ): void {
    numbers['order_type']![row] = fields.orderType
    numbers['time_in_force']![row] = fields.timeInForce
    numbers['quantity_lots']![row] = fields.quantity
    numbers['post_only']![row] = fields.postOnly ? 1 : 0
    if (fields.price !== 0) numbers['price_ticks']![row] = fields.price
    const grids = { price: this.texts.grid(key, 'price'), quantity: this.texts.grid(key, 'quantity') }
    const terms = describeTerms(fields, words, at, from, grids.price, grids.quantity)
    if (terms !== undefined) others['terms']![row] = JSON.stringify(terms)
    if (fields.stopPrice !== 0 && terms?.activationPrice === undefined)
      numbers['stop_price_ticks']![row] = fields.stopPrice
    if (fields.displayQuantity !== 0) numbers['display_lots']![row] = fields.displayQuantity
    if (fields.expireTime !== 0) numbers['expire_time_ms']![row] = fields.expireTime
    if (fields.prevention !== 0) numbers['self_trade_prevention']![row] = fields.prevention
    if (fields.clientOrderId !== undefined) others['client_order_id']![row] = fields.clientOrderId
  }

  #order(words: Int32Array, from: number, at: number, row: number, reasonOffset: number | undefined): void {
    order.read(words, at, from)
    const { numbers } = this.events
    numbers['order_id']![row] = order.orderId
    numbers['account']![row] = order.account
    numbers['side']![row] = order.sell
    numbers['quantity_lots']![row] = order.quantity
    numbers['filled_lots']![row] = order.filled
    if (order.price !== 0) numbers['price_ticks']![row] = order.price
    this.#clientOrderId(row)
    if (reasonOffset !== undefined) numbers['reason']![row] = reasonOffset + order.reason
  }

  #clientOrderId(row: number): void {
    const { clientOrderId } = order
    if (clientOrderId !== undefined) this.events.others['client_order_id']![row] = clientOrderId
  }

  #rejected(words: Int32Array, from: number, at: number, row: number): void {
    order.read(words, at, from)
    const { numbers } = this.events
    if (order.orderId !== 0) numbers['order_id']![row] = order.orderId
    if (order.account >= 0) numbers['account']![row] = order.account
    numbers['reason']![row] = reasonOffsets.rejected + order.reason
    this.#clientOrderId(row)
    if (!order.hasOrder) return
    numbers['side']![row] = order.sell
    numbers['filled_lots']![row] = order.filled
    if (order.price !== 0) numbers['price_ticks']![row] = order.price
  }

  #repeated(words: Int32Array, from: number, at: number, row: number): void {
    const { numbers } = this.events
    const code = reasonOf(words, at)
    // What it had traded and left is written one higher, 0 where it is not known.
    const [filled, remaining] = [readU64(words, at + 2), readU64(words, at + 4)]
    numbers['order_id']![row] = readU64(words, from + 2)
    numbers['account']![row] = words[at + 1]! >>> 0
    numbers['first_status']![row] = flagsOf(words, at) & REPEATED_STATUS
    numbers['first_lsn']![row] = readU64(words, at + 6)
    if (code !== 0) numbers['reason']![row] = reasonOffsets.rejected + code
    if (filled !== 0) numbers['filled_lots']![row] = filled - 1
    if (remaining !== 0) numbers['quantity_lots']![row] = remaining - 1
  }

  #command(words: Int32Array, from: number, key: number, lsn: number, timeUs: number): void {
    const row = this.commands.add(key)
    const { numbers } = this.commands
    const kind = words[from]! & 0xff
    numbers['time']![row] = timeUs
    numbers['type']![row] = kind
    numbers['lsn']![row] = lsn
    if (key !== noKey) numbers['instrument_id']![row] = key
    this.#setTag(this.commands, row)
    if (kind === commandKinds.new) {
      accepted.read(words, from)
      numbers['order_id']![row] = accepted.orderId
      numbers['account']![row] = accepted.account
      numbers['side']![row] = accepted.sell
      this.#terms(this.commands, accepted, row, key, words, from, from)
      if ((flagsOf(words, from) & NEW_HAS_REQUEST_ID) === 0) return
    }
    const command = decodeCommand(words, from)
    if (command) this.#rest(command, row)
  }

  /** What commands other than new orders say, and those say seldom. */
  #rest(command: DecodedCommand, row: number): void {
    const { numbers, others } = this.commands
    if (command.type === 'new') {
      if (command.requestId !== undefined) numbers['request_id']![row] = command.requestId
      return
    }
    if ('orderId' in command && command.orderId !== 0) numbers['order_id']![row] = command.orderId
    if ('clientOrderId' in command) others['client_order_id']![row] = command.clientOrderId
    if ('account' in command && command.account !== undefined) numbers['account']![row] = command.account
    if ('requestId' in command && command.requestId !== undefined)
      numbers['request_id']![row] = command.requestId
    if ('side' in command && command.side !== undefined) numbers['side']![row] = sideCodes[command.side]
    if ('quantity' in command) numbers['quantity_lots']![row] = command.quantity
    if (command.type === 'replace' && command.price !== 0) numbers['price_ticks']![row] = command.price
    if (command.type === 'expire') {
      numbers['expire_time_ms']![row] = command.time
      numbers['end_of_day']![row] = command.endOfDay ? 1 : 0
    }
    if (
      command.type === 'instrument' ||
      command.type === 'instrument-change' ||
      command.type === 'phase' ||
      command.type === 'bust' ||
      command.type === 'list' ||
      command.type === 'cancel-list'
    )
      others['definition']![row] = definitionText(command)
    if (command.type === 'cancel-all' && (command.minPrice ?? command.orderIds) !== undefined)
      others['definition']![row] = definitionText(command)
  }
}

/** What an instrument was created with, or is changed to, its new phase, the trade that does not count, and what a cancel-all says beside its columns, as JSON. */
function definitionText(
  command: DecodedCommand & {
    type: 'instrument' | 'instrument-change' | 'phase' | 'bust' | 'cancel-all' | 'list' | 'cancel-list'
  },
): string {
  const { type, tagLow, tagHigh, instrumentId, ...definition } = command
  return JSON.stringify(definition)
}
