/**
 * Commands and events read a second time, from the byte tables of docs/command-format.md and nothing else: a `DataView`, no
 * word offsets, no constants of the code under test. It gives what `decodeCommand` and `decodeEvents` give.
 */

const sides = ['buy', 'sell']
const orderTypes = 'limit market stop stop-limit take-profit take-profit-limit'.split(' ')
const timesInForce = ['GTC', 'IOC', 'FOK', 'DAY', 'GTD', 'at-open', 'at-close']
const preventions = [undefined, 'none', 'cancel-newest', 'cancel-oldest', 'cancel-both', 'decrement']
const cancelReasons =
  'requested cancel-all reduced ioc market fok post-only self-trade expired end-of-day level-total at-open at-close phase band account-blocked list no-reference'.split(
    ' ',
  )
const replaceReasons = 'requested reduced self-trade pegged'.split(' ')
const codes =
  `UNKNOWN_INSTRUMENT DUPLICATE_INSTRUMENT INSTRUMENT_HALTED UNKNOWN_ORDER DUPLICATE_ORDER_ID NOT_OWNER FOK_NOT_FILLABLE
  POST_ONLY_WOULD_TRADE LEVEL_TOTAL_TOO_LARGE DISPLAY_QUANTITY_TOO_SMALL PRICE_NOT_APPLICABLE REQUEST_ID_OUTDATED
  REQUEST_ID_REUSED INSTRUMENT_CLOSED PRICE_TOO_LOW PRICE_TOO_HIGH QUANTITY_TOO_SMALL QUANTITY_TOO_LARGE
  NOTIONAL_TOO_SMALL LIMITS_CONFLICT ORDER_IDS_EXHAUSTED
  DUPLICATE_CLIENT_ORDER_ID NOT_IN_THIS_PHASE UNKNOWN_TRADE TRADE_ALREADY_BUSTED ACCOUNT_BLOCKED
  MIN_QUANTITY_NOT_FILLABLE PRICE_OFF_TICK PRICE_OUTSIDE_BAND TOO_MANY_ORDERS
  DUPLICATE_LIST_ID UNKNOWN_LIST NO_PEG_REFERENCE`.split(/\s+/)
const statuses = 'done resting waiting partially-filled filled cancelled replaced rejected'.split(' ')

type Fields = Record<string, unknown>

class Reader {
  readonly view: DataView
  readonly kind: number
  readonly flags: number
  readonly length: number
  readonly start: number
  at: number

  constructor(bytes: Uint8Array, start: number) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const first = this.view.getUint32(start, true)
    this.kind = first & 0xff
    this.flags = (first >>> 8) & 0x3ff
    this.length = (first >>> 18) * 4
    this.start = start
    this.at = start + 8
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0
  }

  u8(offset: number): number {
    return this.view.getUint8(this.start + offset)
  }

  u32(offset: number): number {
    return this.view.getUint32(this.start + offset, true)
  }

  u64(): number {
    this.at += 8
    return Number(this.view.getBigUint64(this.at - 8, true))
  }

  optional(flag: number, name: string): Fields {
    return this.has(flag) ? { [name]: this.u64() } : {}
  }

  /** Everything that the length promises has been read. */
  end(): void {
    if (this.at !== this.start + this.length)
      throw new Error(`kind ${this.kind} ends at ${this.at - this.start}`)
  }
}

/** The command at the beginning of a record, and its events. */
export function readRecord(bytes: Uint8Array): { command: Fields; events: Fields[] } {
  const reader = new Reader(bytes, 0)
  const command = readCommand(reader)
  const events: Fields[] = []
  for (let at = reader.length; at < bytes.byteLength; ) {
    const event = new Reader(bytes, at)
    events.push(readEvent(event, command))
    event.end()
    at += event.length
  }
  return { command, events }
}

function readCommand(reader: Reader): Fields {
  const fixed = fixedFields(reader)
  const tag = reader.has(64)
    ? { tagLow: reader.view.getUint32(reader.at, true), tagHigh: reader.view.getUint32(reader.at + 4, true) }
    : { tagLow: 0, tagHigh: 0 }
  if (reader.has(64)) reader.at += 8
  const command = { ...fixed, instrumentId: reader.u32(4), ...tag, ...optionalFields(reader) }
  reader.end()
  return command
}

function fixedFields(reader: Reader): Fields {
  switch (reader.kind) {
    case 1: {
      const orderId = reader.u64()
      reader.at += 8
      const [price, quantity] = [reader.u64(), reader.u64()]
      const prevention = preventions[reader.u8(22)]
      return {
        type: 'new',
        orderId,
        account: reader.u32(16),
        side: sides[reader.has(1) ? 1 : 0],
        orderType: orderTypes[reader.u8(20)],
        timeInForce: timesInForce[reader.u8(21)],
        postOnly: reader.has(2),
        price,
        quantity,
        ...(reader.has(256) && { orderIdOmitted: true }),
        ...(prevention && { selfTradePrevention: prevention }),
      }
    }
    case 2:
      return { type: 'cancel', orderId: reader.u64() }
    case 3:
      return { type: 'replace', orderId: reader.u64(), price: reader.u64(), quantity: reader.u64() }
    case 4:
      return { type: 'reduce', orderId: reader.u64(), quantity: reader.u64() }
    case 5: {
      reader.at += 8
      return {
        type: 'cancel-all',
        ...(!reader.has(4) && { account: reader.u32(8) }),
        ...(reader.has(1) && { side: sides[reader.has(2) ? 1 : 0] }),
      }
    }
    case 6:
      reader.at += 8
      return { type: 'instrument' }
    case 11:
      return { type: 'instrument-change' }
    case 7:
      return {
        type: 'phase',
        phase: phases[reader.u64()],
        ...(reader.has(1) && { closing: true }),
        ...(reader.has(2) && { takesOrders: true }),
      }
    case 8:
      return { type: 'bust', tradeId: reader.u64() }
    case 12:
    case 13:
      reader.at += 8
      return { type: reader.kind === 12 ? 'block' : 'unblock', account: reader.u32(8) }
    case 14: {
      const listId = reader.u64()
      reader.at += 8
      return {
        type: 'list',
        listId,
        ...(reader.has(256) && { listIdOmitted: true }),
        account: reader.u32(16),
        listType: [undefined, 'oco', 'oto', 'otoco'][reader.u8(20)],
      }
    }
    case 15:
      return { type: 'cancel-list', listId: reader.u64() }
    case 9:
      return { type: 'expire', time: reader.u64(), endOfDay: reader.has(1) }
    default:
      return { type: 'noop' }
  }
}

function optionalFields(reader: Reader): Fields {
  if (reader.kind === 1) {
    const more = reader.u8(23)
    if (reader.has(512) !== (more !== 0)) throw new Error(`flag 512 with ${more}`)
    const hasTrail = (more & 3) !== 0
    return {
      ...reader.optional(4, hasTrail ? 'activationPrice' : 'stopPrice'),
      ...reader.optional(8, 'displayQuantity'),
      ...reader.optional(16, 'expireTime'),
      ...((more & 1) !== 0 && { trailingOffset: reader.u64() }),
      ...((more & 2) !== 0 && { trailingBasisPoints: reader.u64() }),
      ...((more & 4) !== 0 && { selfTradeGroup: reader.u64() }),
      ...((more & 8) !== 0 && { minQuantity: reader.u64() }),
      ...((more & 16) !== 0 && { quoteQuantity: reader.u64() }),
      ...((more & 32) !== 0 && readPeg(reader, (more & 64) !== 0)),
      ...readClientId(reader, 128),
      ...reader.optional(32, 'requestId'),
    }
  }
  if (reader.kind >= 2 && reader.kind <= 4) {
    const client = readClientId(reader, 128)
    const account = reader.has(16) ? { account: reader.u64() } : {}
    const omitted = reader.has(256) ? { orderIdOmitted: true } : {}
    return { ...client, ...omitted, ...account, ...reader.optional(32, 'requestId') }
  }
  if (reader.kind === 5) {
    const prices = reader.has(8) ? { minPrice: reader.u64(), maxPrice: reader.u64() } : {}
    const orderIds: number[] = []
    while (reader.has(16) && reader.at < reader.start + reader.length) orderIds.push(reader.u64())
    return { ...prices, ...(reader.has(16) && { orderIds }) }
  }
  if (reader.kind === 14) {
    const { clientOrderId: clientListId } = readClientId(reader, 128)
    return { ...(clientListId !== undefined && { clientListId }), orders: readLegs(reader) }
  }
  if (reader.kind === 15) return reader.has(16) ? { account: reader.u64() } : {}
  if (reader.kind === 11) {
    const { set, removed } = readDetails(reader)
    return { set, removed }
  }
  if (reader.kind !== 6) return {}
  const [symbol, tickSize, lotSize] = readTexts(reader, [reader.u8(8), reader.u8(9), reader.u8(10)])
  const { set = {}, phase } = reader.has(1) ? readDetails(reader) : {}
  return {
    symbol,
    tickSize,
    lotSize,
    replacePriority: reader.u8(11) === 0 ? 'keep-on-reduce' : 'always-lose',
    selfTradePrevention: preventions[reader.u8(12)],
    ...(reader.u8(13) !== 0 && { allocation: ['price-time', 'pro-rata', 'pro-rata-top'][reader.u8(13)] }),
    ...(phase !== undefined && { phase }),
    ...(Object.keys(set).length > 0 && { details: set }),
  }
}

/** New orders without tags, one after the other, as many as byte 21 says. */
function readLegs(reader: Reader): Fields[] {
  const bytes = new Uint8Array(reader.view.buffer, reader.view.byteOffset, reader.view.byteLength)
  return Array.from({ length: reader.u8(21) }, () => {
    const leg = new Reader(bytes, reader.at)
    reader.at += leg.length
    return readCommand(leg)
  })
}

/** Texts one after the other, and zeros up to a multiple of 8. */
function readTexts(reader: Reader, lengths: number[]): string[] {
  const { view } = reader
  const start = reader.at
  const texts = lengths.map((bytes) => {
    reader.at += bytes
    return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + reader.at - bytes, bytes))
  })
  reader.at = start + Math.ceil((reader.at - start) / 8) * 8
  return texts
}

const numbers = [
  'minPrice',
  'maxPrice',
  'minQuantity',
  'maxQuantity',
  'minNotional',
  'referencePrice',
  'staticBand',
  'staticBandBasisPoints',
  'dynamicBand',
  'dynamicBandBasisPoints',
  'bandAction',
  'maxAccountOrders',
]
const names = [...numbers, 'baseAsset', 'quoteAsset', 'info', 'tickTable']
const phases = ['continuous', 'halted', 'closed', 'pre-open', 'auction']

function readDetails(reader: Reader): { set: Fields; removed: string[]; phase?: string } {
  const at = reader.at - reader.start
  const [stated, removed] = [reader.u32(at), reader.u32(at + 12)]
  const phase = phases[reader.u8(at + 4)]!
  const lengths = [
    reader.u8(at + 5),
    reader.u8(at + 6),
    reader.u32(at + 8) & 0xffff,
    reader.u32(at + 8) >>> 16,
  ]
  reader.at += 16
  const set: Fields = {}
  for (const [bit, name] of numbers.entries()) if ((stated & (1 << bit)) !== 0) set[name] = reader.u64()
  for (const [i, text] of readTexts(reader, lengths).entries()) {
    if ((stated & (4096 << i)) !== 0) set[names[12 + i]!] = text
  }
  return {
    set,
    removed: names.filter((_, bit) => (removed & (1 << bit)) !== 0),
    ...((stated & 65536) !== 0 && { phase }),
  }
}

/** A byte that says how many characters, the characters, and zeros up to a multiple of 8. */
function readClientId(reader: Reader, flag: number): Fields {
  if (!reader.has(flag)) return {}
  const length = reader.u8(reader.at - reader.start)
  const [text] = readTexts(reader, [length + 1])
  return { clientOrderId: text!.slice(1) }
}

/** What the price follows, and what is added to it: with 256 it is taken away. */
function readPeg(reader: Reader, hasOffset: boolean): Fields {
  const word = reader.u64()
  const peg = [undefined, 'primary', 'market', 'mid'][word & 0xff]
  if (!hasOffset) return { peg }
  const size = reader.u64()
  return { peg, pegOffset: (word & 256) === 0 ? size : -size }
}

function readEvent(reader: Reader, command: Fields): Fields {
  const reason = codeOf(reader)
  switch (reader.kind) {
    case 32: {
      if (command['type'] === 'new') return { event: 'accepted', account: reader.u32(4) }
      const { orderId } = (command['orders'] as Fields[])[reason]!
      return { event: 'accepted', account: reader.u32(4), orderId, listId: command['listId'] }
    }
    case 33:
      return readTrade(reader, command)
    case 34: {
      const { quantity: remaining, ...order } = readOrder(reader, command)
      return { event: 'cancelled', ...order, remaining, reason: cancelReasons[reason - 1] }
    }
    case 35:
      return { event: 'replaced', ...readOrder(reader, command), reason: replaceReasons[reason - 1] }
    case 36:
      return readRejected(reader, command)
    case 37:
      return { event: 'triggered', ...readOrder(reader, command) }
    case 46:
      return { event: 'entered', ...readOrder(reader, command), waiting: reason === 1 }
    case 41:
      return {
        event: 'repeated',
        orderId: command['orderId'],
        account: reader.u32(4),
        status: statuses[reader.flags & 7],
        code: codes[reason - 1],
        filled: reader.u64() - 1,
        remaining: reader.u64() - 1,
        firstLsn: reader.u64(),
        ...skipCode(reader),
      }
    case 44:
    case 45:
      return { event: reader.kind === 44 ? 'account-blocked' : 'account-unblocked', account: reader.u32(4) }
    case 42: {
      const { set: details } = readDetails(reader)
      return { event: 'instrument-changed', details }
    }
    case 39:
      return {
        event: 'phase-changed',
        phase: phases[reason],
        ...(reader.has(1) && { closing: true }),
        ...(reader.has(2) && { takesOrders: true }),
      }
    case 43:
      return { event: 'trade-busted', tradeId: command['tradeId'] }
    default:
      return { event: reader.kind === 38 ? 'instrument-created' : 'volatility-interruption' }
  }
}

function readOrder(reader: Reader, command: Fields): Fields {
  const isOwn = !reader.has(2)
  const isPriced = command['type'] === 'new' || command['type'] === 'replace'
  const orderId = isOwn ? command['orderId'] : reader.u64()
  const price = reader.has(4) ? reader.u64() : isOwn && isPriced ? command['price'] : 0
  const isRequested = reader.kind === 35 && reader.flags >> 5 === 1
  const quantity = isRequested ? command['quantity'] : reader.u64()
  const filled = reader.has(8) ? reader.u64() : 0
  const own = isOwn && 'clientOrderId' in command ? { clientOrderId: command['clientOrderId'] } : {}
  const client = { ...own, ...readClientId(reader, 16) }
  return {
    orderId,
    account: reader.u32(4),
    side: sides[reader.flags & 1],
    price,
    quantity,
    filled,
    ...client,
  }
}

function readRejected(reader: Reader, command: Fields): Fields {
  if (command['type'] === 'list') {
    const code = codes[codeOf(reader) - 1]
    const leg = (command['orders'] as Fields[])[(reader.flags & 3) - 1]
    const { orderId = 0, side, price, clientOrderId } = leg ?? {}
    return {
      event: 'rejected',
      orderId,
      code,
      account: command['account'],
      ...(leg && { side, price, filled: 0 }),
      ...(clientOrderId !== undefined && { clientOrderId }),
      ...skipCode(reader),
    }
  }
  const isLive = reader.has(2)
  const isNew = command['type'] === 'new'
  const price = reader.has(4) ? reader.u64() : isNew ? command['price'] : 0
  const filled = reader.has(8) ? reader.u64() : 0
  const account = isLive ? reader.u32(4) : command['account']
  const side = isLive ? sides[reader.flags & 1] : command['side']
  return {
    event: 'rejected',
    orderId: command['orderId'] ?? 0,
    code: codes[codeOf(reader) - 1],
    ...(account !== undefined && { account }),
    ...((isLive || isNew) && { side, price, filled }),
    ...('clientOrderId' in command && { clientOrderId: command['clientOrderId'] }),
    ...readClientId(reader, 16),
    ...skipCode(reader),
  }
}

/** A code from 31 on stands at the end of the event. */
function codeOf(reader: Reader): number {
  const code = reader.flags >> 5
  return code === 31 ? reader.u32(reader.length - 8) : code
}

function skipCode(reader: Reader): Fields {
  if (reader.flags >> 5 === 31) reader.at += 8
  return {}
}

function readTrade(reader: Reader, command: Fields): Fields {
  const [tradeId, makerOrderId, price, quantity] = [reader.u64(), reader.u64(), reader.u64(), reader.u64()]
  let { orderId: takerOrderId, account: takerAccount } = command
  if (reader.has(2)) {
    takerOrderId = reader.u64()
    takerAccount = reader.u64()
  }
  return {
    event: 'trade',
    tradeId,
    makerOrderId,
    takerOrderId,
    price,
    quantity,
    makerAccount: reader.u32(4),
    takerAccount,
    makerRemaining: reader.has(4) ? reader.u64() : 0,
    takerRemaining: reader.has(8) ? reader.u64() : 0,
    takerSide: sides[reader.flags & 1],
    ...(reader.has(16) && { uncross: true }),
  }
}
