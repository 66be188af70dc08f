import { orderTypeCodes, timeInForceCodes } from '../../matching/index.js'
import { inputFailure } from '../failure.js'
import {
  type CommandSink,
  type CommandSource,
  isRefusal,
  RefusalLog,
  type SourceInstrument,
  type SourceTarget,
} from './command-source.js'
import type { InputFile } from './input-file.js'

/** `MEBW_001` as a little-endian number: how the binary form begins. */
export const benchmarkMagic = 0x4d4542575f303031n
const headerBytes = 16
const messageBytes = 40

/** Byte offsets of a message. */
const field = { type: 0, side: 1, ioc: 2, quantity: 4, sequence: 8, orderId: 16, price: 24 } as const
const messageType = { new: 0, cancel: 1, modify: 2 } as const

/** All orders are of one account; self-trade prevention is off unless an instrument or an order asks for it. */
const account = 1
const benchmarkSymbol = 'BENCHMARK'

/**
 * The binary messages of matching-engine-benchmark: one instrument whose tick and lot are 1, where a modify always
 * loses its priority.
 */
export class BenchmarkSource implements CommandSource {
  readonly format = 'matching-engine-benchmark'
  readonly instruments: readonly SourceInstrument[] = [
    { symbol: benchmarkSymbol, tickSize: '1', lotSize: '1', replacePriority: 'always-lose' },
  ]
  readonly refusals = new RefusalLog()
  /** Called with each message's sequence number and type, in order, as they are read. */
  onMessage: (sequence: number, type: number) => void = () => {}
  readonly #file: InputFile
  #bytes: Buffer = Buffer.alloc(0)
  #view: DataView = new DataView(new ArrayBuffer(0))
  #at = 0
  #count = 0
  #index = 0
  #instrumentId = 0
  #headerRead = false

  constructor(file: InputFile) {
    this.#file = file
  }

  get progress(): number {
    return this.#count === 0 ? 0 : this.#index / this.#count
  }

  begin(target: SourceTarget): void {
    this.#instrumentId = target.instrument(benchmarkSymbol)!.id
  }

  close(): void {
    this.#file.close()
  }

  async fill(batch: CommandSink, goal: number): Promise<boolean> {
    if (!this.#headerRead) await this.#readHeader()
    while (batch.length < goal && this.#index < this.#count) {
      if (this.#bytes.length - this.#at < messageBytes) await this.#need(messageBytes)
      this.#addMessage(batch, this.#at)
      this.#at += messageBytes
      this.#index++
    }
    return this.#index < this.#count
  }

  #addMessage(batch: CommandSink, at: number): void {
    const view = this.#view
    const type = view.getUint8(at + field.type)
    const orderId = this.#u64(at + field.orderId)
    const quantity = view.getUint32(at + field.quantity, true)
    const price = this.#i64(at + field.price)
    this.onMessage(this.#u64(at + field.sequence), type)
    try {
      if (type === messageType.new) {
        const ioc = view.getUint8(at + field.ioc) !== 0
        const timeInForce = ioc ? timeInForceCodes.IOC : timeInForceCodes.GTC
        const side = view.getUint8(at + field.side)
        const { limit } = orderTypeCodes
        batch.addNew(
          this.#instrumentId,
          orderId,
          account,
          side,
          limit,
          timeInForce,
          price,
          quantity,
          this.#index,
        )
      } else if (type === messageType.cancel) {
        batch.addCancel(this.#instrumentId, orderId, this.#index, account)
      } else if (type === messageType.modify) {
        batch.addReplace(this.#instrumentId, orderId, price, quantity, this.#index, account)
      } else {
        this.#refuse('TIDEMARK_COMMAND_TYPE', `There is no message type ${type}.`)
      }
    } catch (error) {
      if (!isRefusal(error)) throw error
      this.#refuse(error.code, error.message)
    }
  }

  /** Messages have no lines; a refused one goes by its number, from 1 on. */
  #refuse(code: string, message: string): void {
    this.refusals.add(this.#index + 1, code, message)
  }

  async #readHeader(): Promise<void> {
    await this.#need(headerBytes)
    if (this.#view.getBigUint64(this.#at, true) !== benchmarkMagic) {
      throw inputFailure(`${this.#file.name} does not begin as a matching-engine-benchmark file does.`)
    }
    this.#count = this.#view.getUint32(this.#at + 12, true)
    this.#at += headerBytes
    this.#headerRead = true
  }

  /** Makes the next `size` bytes available at `#at`. */
  async #need(size: number): Promise<void> {
    while (this.#bytes.length - this.#at < size) {
      const chunk = await this.#file.next()
      if (!chunk) {
        throw inputFailure(
          this.#headerRead
            ? `${this.#file.name} ends after ${this.#index} of ${this.#count} messages.`
            : `${this.#file.name} ends within its header.`,
        )
      }
      const rest = this.#bytes.subarray(this.#at)
      this.#bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      this.#at = 0
      this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length)
    }
  }

  #u64(at: number): number {
    return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 4294967296
  }

  #i64(at: number): number {
    return this.#view.getUint32(at, true) + this.#view.getInt32(at + 4, true) * 4294967296
  }
}
