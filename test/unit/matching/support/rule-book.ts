import {
  type BlockCommand,
  cancelAllFlags,
  commandGrids,
  type DecodedEvent,
  encodeBlock,
  encodeCancelAll,
  encodeCommand,
  encodeInstrument,
  type InstrumentDefinition,
  maxCommandWords,
  type NewCommand,
  type OrderState,
  type Phase,
  type Side,
  type SymbolCommand,
} from '#tidemark/matching/index.js'
import { PairedBooks } from './paired-books.js'

type Options = Partial<Omit<NewCommand, 'type' | 'symbol' | 'orderId'>>

/**
 * One instrument with tick and lot 1 in the fast and the naive book at once, for tests that read as a story. Every
 * command returns what it caused, one short line an event; prices and quantities as in `2@100`.
 */
export class RuleBook {
  readonly books = new PairedBooks(1)
  readonly #words = new Int32Array(maxCommandWords)
  readonly #definition: InstrumentDefinition

  constructor(definition: Partial<InstrumentDefinition> = {}) {
    this.#definition = {
      instrumentId: 4,
      symbol: 'TEST',
      tickSize: '1',
      lotSize: '1',
      replacePriority: 'keep-on-reduce',
      selfTradePrevention: 'none',
      ...definition,
    }
    encodeInstrument(this.#words, 0, 0, 0, this.#definition)
    this.books.apply(this.#words, 0)
  }

  send(command: { readonly type: string } & Record<string, unknown>): string[] {
    if (command.type === 'block' || command.type === 'unblock') {
      const { account, type } = command as unknown as BlockCommand
      encodeBlock(this.#words, 0, this.#definition.instrumentId, 0, 0, account, type === 'block')
      return this.#apply()
    }
    const full = { symbol: 'TEST', ...command } as unknown as SymbolCommand
    encodeCommand(this.#words, 0, full, commandGrids(this.#definition))
    return this.#apply()
  }

  /** A limit order: `quantity@price`. */
  buy(orderId: number, quantity: number, price: number, options: Options = {}): string[] {
    return this.#order({ orderId, side: 'buy', quantity, price, orderType: 'limit', ...options })
  }

  sell(orderId: number, quantity: number, price: number, options: Options = {}): string[] {
    return this.#order({ orderId, side: 'sell', quantity, price, orderType: 'limit', ...options })
  }

  market(orderId: number, side: 'buy' | 'sell', quantity: number, options: Options = {}): string[] {
    return this.#order({ orderId, side, quantity, orderType: 'market', ...options })
  }

  stop(
    orderId: number,
    side: 'buy' | 'sell',
    quantity: number,
    stopPrice: number,
    options: Options = {},
  ): string[] {
    return this.#order({ orderId, side, quantity, stopPrice, orderType: 'stop', ...options })
  }

  cancel(orderId: number, options: Record<string, unknown> = {}): string[] {
    return this.send({ type: 'cancel', orderId, ...options })
  }

  replace(orderId: number, quantity: number, price?: number): string[] {
    return this.send({ type: 'replace', orderId, quantity, ...(price !== undefined && { price }) })
  }

  reduce(orderId: number, quantity: number): string[] {
    return this.send({ type: 'reduce', orderId, quantity })
  }

  phase(phase: Phase, options: { closing?: true; takesOrders?: true } = {}): string[] {
    return this.send({ type: 'phase', phase, ...options })
  }

  cancelList(listId: number, account?: number): string[] {
    return this.send({ type: 'cancel-list', listId, ...(account !== undefined && { account }) })
  }

  cancelAll(account: number, side?: Side): string[] {
    const flags = cancelAllFlags(side)
    encodeCancelAll(this.#words, 0, this.#definition.instrumentId, 0, 0, account, flags)
    return this.#apply()
  }

  order(orderId: number): OrderState | undefined {
    return this.books.engine.order(this.#definition.instrumentId, orderId)
  }

  /** The visible book, best first: `bids 5@100x2 / asks 3@101x1` (quantity, price, orders). */
  depth(): string {
    const { bids, asks } = this.books.engine.depth(this.#definition.instrumentId, 100)
    const show = (levels: typeof bids): string =>
      levels.map((l) => `${l.quantity}@${l.price}x${l.orders}`).join(' ')
    return `bids ${show(bids)} / asks ${show(asks)}`
  }

  #order(command: Options & { orderId: number }): string[] {
    return this.send({ type: 'new', account: 1000 + command.orderId, ...command })
  }

  #apply(): string[] {
    this.books.apply(this.#words, 0)
    this.books.compareState(this.#definition.instrumentId)
    return this.books.lastEvents.map(describeEvent)
  }
}

function describeEvent(event: DecodedEvent): string {
  switch (event.event) {
    case 'trade':
      return `${event.uncross ? 'uncross' : 'trade'} ${event.takerOrderId} with ${event.makerOrderId}: ${event.quantity}@${event.price}`
    case 'cancelled':
      return `cancelled ${event.orderId}: ${event.remaining}@${event.price} ${event.reason}`
    case 'replaced':
      return `replaced ${event.orderId}: ${event.quantity}@${event.price} ${event.reason}`
    case 'rejected':
      return `rejected ${event.orderId}: ${event.code}`
    case 'triggered':
    case 'entered':
      return `${event.event} ${event.orderId}`
    case 'accepted':
      return event.orderId === undefined ? 'accepted' : `accepted ${event.orderId}`
    case 'phase-changed':
      return `${event.phase}${event.closing ? ' closing' : ''}${event.takesOrders ? ' takes orders' : ''}`
    case 'trade-busted':
      return `busted ${event.tradeId}`
    case 'account-blocked':
    case 'account-unblocked':
      return `${event.event} ${event.account}`
    default:
      return event.event
  }
}
