import { Emitter } from '../base/emitter.js'
import { Connection, Deadline, mayPass } from './connection.js'
import { ClientError, closedError, Interrupted, VenueRefusal } from './errors.js'
import { type ClientSettings, resolveClientOptions, type VenueClientOptions } from './options.js'
import { Orders } from './orders.js'
import { Rest } from './rest.js'
import { Signer, type Values } from './signing.js'
import type { NewOrder, Order, OrderName, PlacedOrder } from './types.js'
import { UserEvents, type UserEventsOptions } from './user-events.js'

interface ClientEvents {
  /** A session is open: at the beginning, and whenever the connection was lost. */
  connected: []
  /** The connection was lost, or the client was closed. */
  disconnected: []
}

/**
 * A client of a venue that `tidemark serve` or `VenueServer` serves. It keeps one connection to the WebSocket API, opens it again when it
 * is lost, and sends again what was not answered: an order is executed once, and an account's events come once each and in order,
 * whatever dies in between.
 */
export class VenueClient extends Emitter<ClientEvents> {
  readonly #settings: ClientSettings
  readonly #connection: Connection
  readonly #orders: Orders
  readonly #rest: Rest
  readonly #feeds = new Set<UserEvents>()

  /**
   * Connects. Resolves when the session is open, however often that is tried.
   *
   * @throws ClientError `TIDEMARK_CLIENT_OPTION`, `TIDEMARK_CLIENT_PACKAGE_MISSING`, `TIDEMARK_CLIENT_NO_ANSWER` when there is no session
   *   after `giveUpMs`; VenueRefusal when the venue does not take the key.
   */
  static async connect(options: VenueClientOptions): Promise<VenueClient> {
    const settings = resolveClientOptions(options)
    const client = new VenueClient(settings, new Signer(settings))
    try {
      await new Deadline(settings.giveUpMs).wait(client.#connection.ready(), 'session.logon')
    } catch (error) {
      await client.close()
      throw error
    }
    return client
  }

  private constructor(settings: ClientSettings, signer: Signer) {
    super()
    this.#settings = settings
    const connection = new Connection(settings, signer)
    this.#connection = connection
    this.#orders = new Orders(connection, settings.giveUpMs)
    this.#rest = new Rest(settings, signer)
    connection.onReady = () => {
      for (const feed of this.#feeds) feed.subscribe()
      this.emit('connected')
    }
    connection.onLost = () => {
      for (const feed of this.#feeds) feed.lost()
      this.emit('disconnected')
    }
    connection.onEvent = (message) => {
      for (const feed of this.#feeds) feed.take(message)
    }
    connection.onClosed = (error) => {
      for (const feed of [...this.#feeds]) feed.fail(error)
    }
  }

  /** Whether a session is open. */
  get isConnected(): boolean {
    return this.#connection.isReady
  }

  /**
   * Places an order, and resolves with what it came to at once. It is executed once: when the connection is lost, or the venue is killed,
   * between the order and its answer, the outcome is found out as soon as the venue is there again.
   *
   * @throws VenueRefusal when the venue refused it: it was not executed; ClientError `TIDEMARK_CLIENT_NO_ANSWER` after `giveUpMs`,
   *   `TIDEMARK_CLIENT_OUTCOME_FORGOTTEN`, `TIDEMARK_CLIENT_CLOSED`: it may have been; `TIDEMARK_CLIENT_NOT_EXECUTED` for a `requestId` of
   *   your own that can't be executed any more. The details have `requestId` and `clientOrderId`.
   */
  placeOrder(order: NewOrder): Promise<PlacedOrder> {
    return this.#orders.place(order)
  }

  /**
   * Cancels an order. When it is over already because an earlier try was executed whose answer was lost, this resolves with the order as it
   * is.
   *
   * @throws VenueRefusal for an order that was not open, ClientError as `placeOrder`.
   */
  async cancelOrder(name: OrderName): Promise<Order> {
    let tries = 0
    try {
      return (await this.#repeat('order.cancel', name, () => tries++)) as Order
    } catch (error) {
      if (tries < 2 || !(error instanceof VenueRefusal) || error.venueCode !== -2011) throw error
      const order = (await this.request('order.status', name)) as Order
      if (order.status !== 'CANCELED') throw error
      return order
    }
  }

  /** Cancels all open orders of a symbol, and resolves with what was cancelled: an empty list when no order is open. */
  async cancelAll(symbol: string): Promise<readonly Order[]> {
    try {
      return (await this.request('openOrders.cancelAll', { symbol })) as Order[]
    } catch (error) {
      if (error instanceof VenueRefusal && error.venueCode === -2011) return []
      throw error
    }
  }

  /** An order, open or over. @throws VenueRefusal -2013 for an unknown one, ClientError. */
  order(name: OrderName): Promise<Order> {
    return this.request('order.status', name) as Promise<Order>
  }

  /** The open orders of a symbol, or of all. @throws VenueRefusal, ClientError. */
  openOrders(symbol?: string): Promise<readonly Order[]> {
    return this.request('openOrders.status', { symbol }) as Promise<Order[]>
  }

  /**
   * Gives an account's events: each once and in order, also those that happen while there is no connection, and, with `from`, those since a
   * place that an earlier process of yours noted. Resolves when it has begun; `close` of what it resolves with ends it.
   *
   * @throws VenueRefusal -2103 when the venue does not keep events back to `from`, ClientError.
   */
  async userEvents(options: UserEventsOptions): Promise<UserEvents> {
    await new Deadline(this.#settings.giveUpMs).wait(this.#connection.ready(), 'userDataStream.subscribe')
    const feed = new UserEvents(this.#connection, options, (ended) => this.#feeds.delete(ended))
    this.#feeds.add(feed)
    await feed.started
    return feed
  }

  /**
   * Any request of the WebSocket API, such as `request('depth', { symbol: 'BTCUSDT', limit: 5 })`, sent again until it is answered. Use
   * `placeOrder` for orders: a repetition of `order.place` without a request id would be another order.
   *
   * @throws VenueRefusal, ClientError `TIDEMARK_CLIENT_NO_ANSWER`, `TIDEMARK_CLIENT_CLOSED`, `TIDEMARK_CLIENT_OPTION` for `order.place`,
   *   `order.cancelReplace` and the methods of sessions and subscriptions, which the client uses itself.
   */
  async request(method: string, params: Values = {}): Promise<unknown> {
    if (ownMethods.test(method))
      throw new ClientError(
        'TIDEMARK_CLIENT_OPTION',
        `${method} can't be sent again: it is not for request().`,
        {
          method,
        },
      )
    return this.#repeat(method, params)
  }

  /**
   * A request over REST, such as `rest('GET', '/klines', { symbol: 'BTCUSDT', interval: '1m' })`; `signed` for what needs a key. It is sent
   * once.
   *
   * @throws VenueRefusal; ClientError `TIDEMARK_CLIENT_NO_ANSWER`: unless it only read, it may have been executed.
   */
  rest(
    verb: string,
    route: string,
    params: Values = {},
    options: { signed?: boolean } = {},
  ): Promise<unknown> {
    return this.#rest.send(verb, route, params, options.signed === true)
  }

  /** Ends the connection. What is not answered rejects with `TIDEMARK_CLIENT_CLOSED`. */
  async close(): Promise<void> {
    this.#connection.close(closedError())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #repeat(method: string, params: Values, sent: () => void = () => {}): Promise<unknown> {
    const deadline = new Deadline(this.#settings.giveUpMs)
    for (;;) {
      await deadline.wait(this.#connection.ready(), method)
      try {
        sent()
        return await this.#connection.send(method, params)
      } catch (error) {
        if (error instanceof Interrupted) deadline.check(method, error)
        else if (error instanceof VenueRefusal && mayPass(error)) await deadline.pause(method, error)
        else throw error
      }
    }
  }
}

const ownMethods = /^(v3\/)?(order\.place|order\.cancelReplace|orderList\.|sor\.|session\.|userDataStream\.)/
