import { priceText, quantityText } from '../../matching/index.js'
import type { PoolEvent, TradeEvent } from '../../pool/index.js'
import type { InstrumentTexts } from '../tables/pool-rows.js'

// biome-ignore lint/suspicious/noExplicitAny: what a column holds is as the schema says, which the reading of the file has checked.
type Columns = Readonly<Record<string, ArrayLike<any>>>

/** An event of a pool that is no trade. */
export type OrderEvent = Exclude<PoolEvent, TradeEvent>

/** Plain data, as the events of a pool: JSON knows no bigint, so there the tag is a text. */
class ArchivedEvent {
  declare readonly tag: bigint

  static of<Event extends PoolEvent>(fields: Event): Event {
    return Object.assign(new ArchivedEvent(), fields)
  }

  toJSON(): object {
    return { ...this, tag: String(this.tag) }
  }
}

/** A trade of the archive as a subscriber of the pool got it. */
export function tradeOfRow(columns: Columns, i: number, instruments: InstrumentTexts): TradeEvent {
  const { price, lots } = textsOf(columns, i, instruments)
  return ArchivedEvent.of<TradeEvent>({
    lsn: number(columns, 'lsn', i),
    index: number(columns, 'event_index', i),
    timeUs: number(columns, 'time', i),
    symbol: columns['symbol']![i],
    tag: tag(columns, i),
    event: 'trade',
    tradeId: number(columns, 'trade_id', i),
    makerOrderId: number(columns, 'maker_order_id', i),
    takerOrderId: number(columns, 'taker_order_id', i),
    price: price('price_ticks')!,
    quantity: lots('quantity_lots')!,
    makerAccount: number(columns, 'maker_account', i),
    takerAccount: number(columns, 'taker_account', i),
    makerRemaining: lots('maker_remaining_lots')!,
    takerRemaining: lots('taker_remaining_lots')!,
    takerSide: columns['taker_side']![i],
    uncross: columns['uncross']![i],
  })
}

/** Another event of the archive as a subscriber of the pool got it. */
export function eventOfRow(columns: Columns, i: number, instruments: InstrumentTexts): OrderEvent {
  return ArchivedEvent.of<OrderEvent>(fieldsOf(columns, i, instruments))
}

function fieldsOf(columns: Columns, i: number, instruments: InstrumentTexts): OrderEvent {
  const { price, lots } = textsOf(columns, i, instruments)
  const place = {
    lsn: number(columns, 'lsn', i),
    index: number(columns, 'event_index', i),
    timeUs: number(columns, 'time', i),
    symbol: columns['symbol']![i] as string,
    tag: tag(columns, i),
  }
  const event = columns['event']![i] as OrderEvent['event']
  const ids = { orderId: optional(columns, 'order_id', i) ?? 0, account: optional(columns, 'account', i)! }
  const clientOrderId: string | undefined = columns['client_order_id']![i] ?? undefined
  const side = columns['side']![i] ?? undefined
  const reason = columns['reason']![i] ?? undefined
  switch (event) {
    case 'accepted':
      return {
        ...place,
        event,
        ...ids,
        clientOrderId,
        side,
        orderType: columns['order_type']![i],
        timeInForce: columns['time_in_force']![i],
        price: price('price_ticks'),
        quantity: lots('quantity_lots')!,
        stopPrice: price('stop_price_ticks'),
        displayQuantity: lots('display_lots'),
        postOnly: columns['post_only']![i],
        expireTime: optional(columns, 'expire_time_ms', i),
        selfTradePrevention: columns['self_trade_prevention']![i] ?? undefined,
        ...JSON.parse((columns['terms']?.[i] as string | null | undefined) ?? '{}'),
      }
    case 'replaced': {
      const [quantity, filled] = [lots('quantity_lots')!, lots('filled_lots')!]
      return {
        ...place,
        event,
        ...ids,
        clientOrderId,
        side,
        price: price('price_ticks'),
        quantity,
        filled,
        reason,
      }
    }
    case 'cancelled': {
      const [remaining, filled] = [lots('quantity_lots')!, lots('filled_lots')!]
      return {
        ...place,
        event,
        ...ids,
        clientOrderId,
        side,
        price: price('price_ticks'),
        remaining,
        filled,
        reason,
      }
    }
    case 'entered': {
      const [remaining, filled] = [lots('quantity_lots')!, lots('filled_lots')!]
      const { waiting } = JSON.parse(columns['terms']![i] as string) as { waiting: boolean }
      return {
        ...place,
        event,
        ...ids,
        clientOrderId,
        side,
        price: price('price_ticks'),
        remaining,
        filled,
        waiting,
      }
    }
    case 'triggered': {
      const [remaining, filled] = [lots('quantity_lots')!, lots('filled_lots')!]
      return { ...place, event, ...ids, clientOrderId, side, price: price('price_ticks'), remaining, filled }
    }
    case 'rejected':
      return {
        ...place,
        event,
        ...ids,
        clientOrderId,
        side,
        price: price('price_ticks'),
        filled: lots('filled_lots'),
        code: reason,
      }
    case 'repeated': {
      const [status, firstLsn] = [columns['first_status']![i], number(columns, 'first_lsn', i)]
      return { ...place, event, ...ids, status, code: reason, firstLsn }
    }
    case 'instrument-changed':
    case 'phase-changed':
    case 'trade-busted':
      return { ...place, event, ...JSON.parse(columns['details']![i]) }
    case 'account-blocked':
    case 'account-unblocked':
      return { ...place, event, account: ids.account }
    default:
      return { ...place, event }
  }
}

function textsOf(columns: Columns, i: number, instruments: InstrumentTexts) {
  const id = number(columns, 'instrument_id', i)
  const text = (column: string, of: 'price' | 'quantity') => {
    const steps = optional(columns, column, i)
    if (steps === undefined) return undefined
    const grid = instruments.grid(id, of)
    return of === 'price' ? priceText(steps, grid) : quantityText(steps, grid)
  }
  return {
    price: (column: string) => text(column, 'price'),
    lots: (column: string) => text(column, 'quantity'),
  }
}

function number(columns: Columns, column: string, i: number): number {
  return Number(columns[column]![i])
}

function optional(columns: Columns, column: string, i: number): number | undefined {
  const value = columns[column]![i]
  return value === undefined || value === null ? undefined : Number(value)
}

function tag(columns: Columns, i: number): bigint {
  const value = columns['tag']![i] as bigint | null | undefined
  return value ?? 0n
}
