import type { Client } from './client.js'
import type { UserReceiver, UserStreams } from './user-streams.js'

/** Entries that are looked through at once, so that one client's long way back delays no other. */
const stepEntries = 5000
/** How long a client is given to read what it was sent. */
const pauseMs = 10
const policyViolation = 1008

/**
 * A subscription to an account's events that begins after an LSN: first what is kept, as fast as the client reads it, then what
 * comes. Nothing is left out between the two, and each event says which one of the account came before it.
 */
export class Resumption {
  readonly #client: Client
  readonly #users: UserStreams
  readonly #account: number
  readonly #receiver: UserReceiver
  #position: number
  #timer: NodeJS.Timeout | undefined
  #isLive = false
  #isEnded = false

  constructor(client: Client, users: UserStreams, account: number, fromLsn: number, receiver: UserReceiver) {
    this.#client = client
    this.#users = users
    this.#account = account
    this.#receiver = receiver
    this.#position = users.log.positionAfter(fromLsn)
    // The answer to the subscription is sent before.
    setImmediate(() => this.#step())
  }

  end(): void {
    this.#isEnded = true
    clearTimeout(this.#timer)
    if (this.#isLive) this.#users.remove(this.#account, this.#receiver)
  }

  #step(): void {
    if (this.#isEnded) return
    const { log } = this.#users
    if (this.#position < log.first) {
      this.#client.close(policyViolation, 'Events are not kept as long as you take to read them.')
      return
    }
    const end = Math.min(log.end, this.#position + stepEntries)
    while (this.#position < end && this.#client.hasRoom) {
      const entry = log.at(this.#position++)
      if (entry.order.account === this.#account) this.#users.send(entry, [this.#receiver])
    }
    if (this.#position === log.end) {
      this.#isLive = true
      this.#users.add(this.#account, this.#receiver)
    } else this.#timer = setTimeout(() => this.#step(), this.#client.hasRoom ? 0 : pauseMs)
  }
}
