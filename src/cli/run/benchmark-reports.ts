import { createHash } from 'node:crypto'
import type { PoolEvent } from '../../pool/index.js'
import type { EventSink, LineWriter } from './event-feed.js'

/** Types of the benchmark's report lines; lines are sorted by (sequence, type). */
const line = { orderAck: 0, trade: 1, cancelAck: 2, modifyAck: 3, cancelReject: 4, modifyReject: 5 } as const
const sides = { buy: 0, sell: 1 } as const
const modify = 2

/** Sequence number and type of each input message, by the message's index, which is the command's tag. */
export class BenchmarkMessages {
  #sequences = new Float64Array(4096)
  #types = new Uint8Array(4096)
  #count = 0

  add(sequence: number, type: number): void {
    if (this.#count === this.#types.length) this.#grow()
    this.#sequences[this.#count] = sequence
    this.#types[this.#count] = type
    this.#count++
  }

  sequence(index: number): number {
    return this.#sequences[index]!
  }

  type(index: number): number {
    return this.#types[index]!
  }

  #grow(): void {
    const sequences = new Float64Array(this.#count * 2)
    sequences.set(this.#sequences)
    this.#sequences = sequences
    const types = new Uint8Array(this.#count * 2)
    types.set(this.#types)
    this.#types = types
  }
}

/**
 * The report lines of matching-engine-benchmark, and the SHA-256 of their text. Messages come in the order of their
 * sequence numbers, and so do their events, so the sort by (sequence, type) only ever moves lines of one message.
 */
export class BenchmarkReports implements EventSink {
  readonly #messages: BenchmarkMessages
  readonly #file: LineWriter | undefined
  readonly #hash = createHash('sha256')
  #index = -1
  #pending: { type: number; text: string }[] = []
  #text = ''
  #first = true
  #digest: string | undefined

  constructor(messages: BenchmarkMessages, file?: LineWriter) {
    this.#messages = messages
    this.#file = file
  }

  /** The SHA-256 of the text, in hexadecimal; undefined before the end. */
  get sha256(): string | undefined {
    return this.#digest
  }

  event(event: PoolEvent): void {
    const index = Number(event.tag)
    if (event.event === 'instrument-created') return
    if (index !== this.#index) {
      this.#flushMessage()
      this.#index = index
    }
    const found = this.#line(event, index)
    if (found) this.#pending.push(found)
  }

  end(): void {
    this.#flushMessage()
    this.#flushText()
    this.#digest = this.#hash.digest('hex')
    this.#file?.close()
  }

  #line(event: PoolEvent, index: number): { type: number; text: string } | undefined {
    const sequence = this.#messages.sequence(index)
    const make = (type: number, rest: string) => ({ type, text: `${type},${sequence},${rest}` })
    switch (event.event) {
      case 'accepted':
        return make(line.orderAck, `${sides[event.side]},${event.orderId},${event.price},${event.quantity}`)
      case 'trade':
        return make(
          line.trade,
          `${event.price},${event.quantity},${event.makerOrderId},${event.takerOrderId}`,
        )
      case 'cancelled':
        return make(line.cancelAck, `${sides[event.side]},${event.orderId},${event.price}`)
      case 'replaced':
        return make(line.modifyAck, `${sides[event.side]},${event.orderId},${event.price},${event.quantity}`)
      case 'rejected': {
        const type = this.#messages.type(index) === modify ? line.modifyReject : line.cancelReject
        return make(type, String(event.orderId))
      }
      default:
        return undefined
    }
  }

  #flushMessage(): void {
    const pending = this.#pending
    if (pending.length > 1) pending.sort((a, b) => a.type - b.type)
    for (const { text } of pending) {
      this.#text += this.#first ? text : `\n${text}`
      this.#first = false
    }
    this.#pending = []
    if (this.#text.length > 65_536) this.#flushText()
  }

  #flushText(): void {
    this.#hash.update(this.#text)
    this.#file?.write(this.#text)
    this.#text = ''
  }
}
