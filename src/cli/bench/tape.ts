import {
  type Command,
  commandKinds,
  fromSteps,
  orderTypeCodes,
  parseGrid,
  sideNames,
  timeInForceCodes,
} from '../../matching/index.js'
import type { CommandBatch } from '../../pool/index.js'
import { type FlowSettings, flowDefaults } from '../flow/flow-settings.js'
import { FlowSource, flowInstruments } from '../flow/flow-source.js'

const { new: newKind, cancel: cancelKind, replace: replaceKind } = commandKinds
const recordWords = 6

/**
 * A generated flow, made beforehand so that making it is not measured: whole numbers in one array, played back into
 * a pool in any number of ways. Instruments are numbered as a new pool numbers them, from 0 in order.
 *
 * ```
 *  word  0  kind | side << 8 | order type << 16 | time in force << 24
 *        1  instrument   2  order id   3  account   4  price, ticks   5  quantity, lots
 * ```
 */
export class CommandTape {
  readonly instruments
  readonly #words: Int32Array
  #length = 0

  /** Records `commands` of the flow that `tidemark run` generates. */
  constructor(settings: Partial<FlowSettings>) {
    const flow = { ...flowDefaults, ...settings }
    this.instruments = flowInstruments(flow.symbols)
    this.#words = new Int32Array(flow.commands * recordWords)
    // A flow fills what has a batch's adders and length, as this class has.
    new FlowSource(flow).fill(this as unknown as CommandBatch, flow.commands)
  }

  /** Commands on the tape. */
  get length(): number {
    return this.#length
  }

  addNew(
    instrumentId: number,
    orderId: number,
    account: number,
    side: number,
    orderType: number,
    timeInForce: number,
    price: number,
    quantity: number,
  ): void {
    const head = newKind | (side << 8) | (orderType << 16) | (timeInForce << 24)
    this.#add(head, instrumentId, orderId, account, price, quantity)
  }

  addCancel(instrumentId: number, orderId: number): void {
    this.#add(cancelKind, instrumentId, orderId, 0, 0, 0)
  }

  addReplace(instrumentId: number, orderId: number, price: number, quantity: number): void {
    this.#add(replaceKind, instrumentId, orderId, 0, price, quantity)
  }

  /** Adds the commands from one place of the tape up to another to a batch. */
  play(batch: CommandBatch, from: number, to: number): void {
    const words = this.#words
    for (let i = from, at = from * recordWords; i < to; i++, at += recordWords) {
      const head = words[at]!
      const kind = head & 0xff
      const instrumentId = words[at + 1]!
      const orderId = words[at + 2]!
      const price = words[at + 4]!
      const quantity = words[at + 5]!
      if (kind === newKind) {
        const side = (head >> 8) & 0xff
        const account = words[at + 3]!
        batch.addNew(
          instrumentId,
          orderId,
          account,
          side,
          (head >> 16) & 0xff,
          head >> 24,
          price,
          quantity,
          i,
        )
      } else if (kind === cancelKind) batch.addCancel(instrumentId, orderId, i)
      else batch.addReplace(instrumentId, orderId, price, quantity, i)
    }
  }

  /** The same commands as plain objects with decimal strings. */
  objects(from: number, to: number): Command[] {
    const grids = this.instruments.map(({ tickSize, lotSize }) => ({
      price: parseGrid('tickSize', tickSize),
      quantity: parseGrid('lotSize', lotSize),
    }))
    return Array.from({ length: Math.max(0, to - from) }, (_, i) => this.#object(from + i, grids))
  }

  #object(index: number, grids: { price: Grid; quantity: Grid }[]): Command {
    const at = index * recordWords
    const words = this.#words
    const head = words[at]!
    const instrumentId = words[at + 1]!
    const { symbol } = this.instruments[instrumentId]!
    const grid = grids[instrumentId]!
    const orderId = words[at + 2]!
    if ((head & 0xff) === cancelKind) return { type: 'cancel', symbol, orderId }
    const quantity = fromSteps(words[at + 5]!, grid.quantity)
    const price = fromSteps(words[at + 4]!, grid.price)
    if ((head & 0xff) === replaceKind) return { type: 'replace', symbol, orderId, price, quantity }
    const account = words[at + 3]!
    const side = sideNames[(head >> 8) & 0xff]!
    // Literals, because V8 gives an object with a spread in it a hidden class of its own, and every look at it is slow.
    if (((head >> 16) & 0xff) === orderTypeCodes.market)
      return { type: 'new', symbol, orderId, account, side, quantity, orderType: 'market' }
    const timeInForce = head >> 24 === timeInForceCodes.IOC ? 'IOC' : 'GTC'
    return { type: 'new', symbol, orderId, account, side, quantity, orderType: 'limit', price, timeInForce }
  }

  #add(
    head: number,
    instrumentId: number,
    orderId: number,
    account: number,
    price: number,
    quantity: number,
  ): void {
    const at = this.#length++ * recordWords
    const words = this.#words
    words[at] = head
    words[at + 1] = instrumentId
    words[at + 2] = orderId
    words[at + 3] = account
    words[at + 4] = price
    words[at + 5] = quantity
  }
}

type Grid = ReturnType<typeof parseGrid>
