/**
 * A steady flow of new orders, cancels and reductions over a few symbols, at a fixed rate and with a bounded number of live
 * orders. Each command has a tag of its own, counted from 1.
 */
export class SoakFlow {
  #pool
  #symbols
  #ratePerSecond
  #commandsMax
  #onAcknowledged
  #live = []
  #head = 0
  #tag = 0
  #state = 12345
  #stopped = false
  inFlight = 0
  refused = new Map()

  /** `onAcknowledged(tag, lsn, latencyMs)`; latency is measured from the time at which the command was due. */
  constructor(pool, { symbols, ratePerSecond, commandsMax, onAcknowledged }) {
    this.#pool = pool
    this.#symbols = symbols
    this.#ratePerSecond = ratePerSecond
    this.#commandsMax = commandsMax
    this.#onAcknowledged = onAcknowledged
  }

  /** Commands that were submitted so far. */
  get sent() {
    return this.#tag
  }

  start() {
    const startMs = performance.now()
    let skipped = 0
    const send = () => {
      if (this.#stopped) return
      const due = ((performance.now() - startMs) * this.#ratePerSecond) / 1000 - skipped
      while (this.#tag < due && this.#tag < this.#commandsMax) {
        if (this.#pool.needsDrain) {
          skipped += due - this.#tag
          break
        }
        this.#submit(startMs + ((this.#tag + skipped) * 1000) / this.#ratePerSecond)
      }
      setTimeout(send, 1)
    }
    send()
  }

  stop() {
    this.#stopped = true
  }

  #random(below) {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return Math.floor((this.#state / 0x1_0000_0000) * below)
  }

  #command(tag) {
    const live = this.#live
    if (live.length - this.#head > 20_000 && this.#random(2) === 0) {
      const { symbol, orderId } = live[this.#head++]
      if (this.#head > 50_000) {
        live.splice(0, this.#head)
        this.#head = 0
      }
      if (this.#random(8) === 0) {
        // What is left of it is cancelled in its turn: forgotten, the books would grow all the time.
        live.push({ symbol, orderId })
        return { type: 'reduce', symbol, orderId, quantity: '0.500', tag }
      }
      return { type: 'cancel', symbol, orderId, tag }
    }
    const symbol = this.#symbols[this.#random(this.#symbols.length)]
    const sell = this.#random(2)
    const away = this.#random(60) - 3
    live.push({ symbol, orderId: tag })
    return {
      type: 'new',
      symbol,
      orderId: tag,
      account: 1 + this.#random(500),
      side: sell ? 'sell' : 'buy',
      orderType: 'limit',
      price: (100 + away * (sell ? 0.01 : -0.01)).toFixed(2),
      quantity: '1.000',
      tag,
    }
  }

  #submit(dueMs) {
    const tag = ++this.#tag
    this.inFlight++
    this.#pool.submit(this.#command(tag)).then(
      (report) => {
        this.inFlight--
        this.#onAcknowledged(tag, report.lsn, performance.now() - dueMs)
      },
      (error) => {
        this.inFlight--
        this.refused.set(error.code, (this.refused.get(error.code) ?? 0) + 1)
      },
    )
  }
}
