import { randomBytes } from 'node:crypto'
import { type Connection, Deadline, mayPass } from './connection.js'
import { ClientError, Interrupted, VenueRefusal } from './errors.js'
import type { Values } from './signing.js'
import type { NewOrder, PlacedOrder } from './types.js'

/** Codes of a venue's refusal of a request id: a later one was executed; another order had it. */
const outdatedCode = -2101
const reusedCode = -2102
/** Codes that say that a venue does not know what came of an order. */
const unknownCodes: ReadonlySet<number> = new Set([-1000, -1006])

interface RequestStatus {
  readonly lastRequestId: number
  readonly state?: 'EXECUTED' | 'REFUSED' | 'EXPIRED' | 'NOT_EXECUTED' | 'UNSEEN' | 'FORGOTTEN'
  readonly clientOrderId?: string
  readonly order?: PlacedOrder
  readonly error?: { readonly code: number; readonly msg: string }
}

/** An order with what it is sent again under. */
interface Request {
  readonly order: NewOrder
  readonly clientOrderId: string
  readonly requestId: number
  readonly deadline: Deadline
}

/**
 * Orders that are executed once, whatever becomes of the connection. Each has a request id, which grows for the account in the symbol,
 * and is sent again under it until its outcome is known: the venue executes a request id once, and answers a repetition with what came
 * of it the first time. An id that can't be executed any more because a later one was is asked about; when it was not executed, the
 * order gets a new one.
 */
export class Orders {
  readonly #connection: Connection
  readonly #giveUpMs: number
  /** The last request id that was used in each symbol, and the questions for those that are not known yet. */
  readonly #lastIds = new Map<string, { id: number }>()
  readonly #asked = new Map<string, Promise<void>>()

  constructor(connection: Connection, giveUpMs: number) {
    this.#connection = connection
    this.#giveUpMs = giveUpMs
  }

  async place(order: NewOrder): Promise<PlacedOrder> {
    const deadline = new Deadline(this.#giveUpMs)
    const { newClientOrderId, requestId: own } = order
    if (own !== undefined && newClientOrderId === undefined)
      throw new ClientError(
        'TIDEMARK_CLIENT_OPTION',
        'An order with a requestId of its own needs its newClientOrderId too: both are sent again.',
        { requestId: own },
      )
    for (;;) {
      const clientOrderId = newClientOrderId ?? randomBytes(16).toString('base64url')
      const requestId = own ?? (await this.#nextId(order.symbol, deadline))
      const placed = await this.#execute({ order, clientOrderId, requestId, deadline })
      if (placed) return placed
      if (own !== undefined)
        throw new ClientError(
          'TIDEMARK_CLIENT_NOT_EXECUTED',
          `The order was not executed: a requestId above ${own}, or another order with it, was.`,
          { requestId: own, symbol: order.symbol },
        )
      // Another client uses request ids of this account and symbol: continue after theirs.
      await this.#askLastId(order.symbol, deadline)
    }
  }

  async #nextId(symbol: string, deadline: Deadline): Promise<number> {
    for (;;) {
      const last = this.#lastIds.get(symbol)
      if (last) return ++last.id
      let asked = this.#asked.get(symbol)
      if (!asked) {
        asked = this.#askLastId(symbol, deadline).finally(() => this.#asked.delete(symbol))
        this.#asked.set(symbol, asked)
      }
      await asked
    }
  }

  async #askLastId(symbol: string, deadline: Deadline): Promise<void> {
    const { lastRequestId } = (await this.#repeat('order.request', { symbol }, deadline)) as RequestStatus
    this.#lastIds.set(symbol, { id: Math.max(lastRequestId, this.#lastIds.get(symbol)?.id ?? 0) })
  }

  /** Resolves with `undefined` when it was not executed and never will be under this request id. */
  async #execute(request: Request): Promise<PlacedOrder | undefined> {
    const { order, clientOrderId, requestId, deadline } = request
    const { symbol } = order
    try {
      const params = {
        newOrderRespType: 'FULL',
        ...order,
        newClientOrderId: clientOrderId,
        requestId,
      } as Values
      return (await this.#repeat('order.place', params, deadline)) as PlacedOrder
    } catch (error) {
      if (!(error instanceof VenueRefusal)) throw error
      if (error.venueCode !== outdatedCode && error.venueCode !== reusedCode) throw error
    }
    const status = (await this.#repeat('order.request', { symbol, requestId }, deadline)) as RequestStatus
    return outcomeOf(status, request)
  }

  /** Sends a request until it is answered. */
  async #repeat(method: string, params: Values, deadline: Deadline): Promise<unknown> {
    const { symbol, requestId, newClientOrderId } = params
    const details = { symbol, requestId, clientOrderId: newClientOrderId }
    for (;;) {
      await deadline.wait(this.#connection.ready(), method, details)
      try {
        return await this.#connection.send(method, params)
      } catch (error) {
        if (error instanceof Interrupted) deadline.check(method, error, details)
        else if (error instanceof VenueRefusal && (mayPass(error) || unknownCodes.has(error.venueCode)))
          await deadline.pause(method, error, details)
        else throw error
      }
    }
  }
}

function outcomeOf(status: RequestStatus, { order, clientOrderId, requestId }: Request) {
  const { state, error } = status
  if (state === 'FORGOTTEN')
    throw new ClientError(
      'TIDEMARK_CLIENT_OUTCOME_FORGOTTEN',
      'The venue keeps no outcome of this order any more. Ask for the order by its client order id.',
      { symbol: order.symbol, requestId, clientOrderId },
    )
  // The order that was executed under this request id may be another's.
  if (status.clientOrderId !== clientOrderId) return undefined
  if (state === 'EXECUTED') return status.order
  if (state === 'REFUSED') throw new VenueRefusal('order.place', 400, error!.code, error!.msg)
  return expired(order, clientOrderId)
}

/** An order that was to be filled at once as a whole and could not be. */
function expired(order: NewOrder, clientOrderId: string): PlacedOrder {
  const { symbol, side, type, price = '0', quantity = '0', timeInForce = 'FOK' } = order
  return {
    symbol,
    orderId: -1,
    clientOrderId,
    transactTime: Date.now(),
    price,
    origQty: quantity,
    executedQty: '0',
    cummulativeQuoteQty: '0',
    status: 'EXPIRED',
    timeInForce,
    type,
    side,
    fills: [],
  }
}
