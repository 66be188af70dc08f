import { existsSync, readFileSync } from 'node:fs'
import * as path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Random } from '../../dist/src/cli/flow/random.js'

/** What a message does. The numbers are those of the published workload. */
export const messageType = { add: 0, cancel: 1, modify: 2 }

/** The middle of the generated books, ticks. */
const middle = 1_000_000

/**
 * Messages for one book, in columns. `setUp` of them fill the book before the clock starts. A modify takes an order out
 * and puts it in again at another price or quantity, on the side that it had.
 */
class Messages {
  constructor(name, count) {
    this.name = name
    this.type = new Uint8Array(count)
    this.sell = new Uint8Array(count)
    this.immediate = new Uint8Array(count)
    this.quantity = new Int32Array(count)
    this.id = new Int32Array(count)
    this.price = new Int32Array(count)
    this.length = 0
    this.setUp = 0
    /** Trades in all of it, where they are published. */
    this.publishedTrades = undefined
  }

  add(type, id, sell, price, quantity, immediate = 0) {
    const at = this.length++
    this.type[at] = type
    this.id[at] = id
    this.sell[at] = sell
    this.price[at] = price
    this.quantity[at] = quantity
    this.immediate[at] = immediate
  }

  /** The ids as text, for engines that want them so. */
  get names() {
    this.idNames ??= Array.from(this.id.subarray(0, this.length), String)
    return this.idNames
  }
}

const dataFolder = process.env.TIDEMARK_DATA ?? path.resolve(import.meta.dirname, '../../../shared/data')
const normalFile = path.join(dataFolder, 'matching-engine-benchmark', 'normal_seed23.bin.gz')

/**
 * The `normal` workload of matching-engine-benchmark (seed 23), where its file is there: 1,996,097 messages. A header
 * of 16 bytes, then 40 bytes a message; docs/performance.md says where it comes from.
 */
export function normalWorkload() {
  if (!existsSync(normalFile)) return undefined
  const bytes = gunzipSync(readFileSync(normalFile))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = view.getUint32(12, true)
  const messages = new Messages('normal, as published', count)
  const sells = new Map()
  for (let i = 0, at = 16; i < count; i++, at += 40) {
    const type = view.getUint8(at)
    const id = view.getUint32(at + 16, true)
    if (type === messageType.add) sells.set(id, view.getUint8(at + 1))
    const price = view.getUint32(at + 24, true)
    messages.add(type, id, sells.get(id) ?? 0, price, view.getUint32(at + 4, true), view.getUint8(at + 2))
  }
  messages.publishedTrades = 62_474
  return messages
}

/** Books that are made here, each from a seed: `count` messages after the ones that fill the book. */
export function generatedWorkloads(count) {
  const near = (random) => Math.floor(-Math.log(1 - random.fraction()) * 40)
  return [
    generated('shallow: 5,000 resting near the touch', count, { resting: 5000, distance: near, takers: 8 }),
    generated('deep: 40,000 resting near the touch', count, { resting: 40_000, distance: near, takers: 8 }),
    generated('wide: 40,000 resting, one or two a level', count, {
      resting: 40_000,
      distance: (random) => random.below(20_000),
      takers: 0,
    }),
    generated('sparse: 40,000 resting, levels far apart', count, {
      resting: 40_000,
      distance: (random) => random.below(900_000),
      takers: 0,
    }),
    generated('sweeping: takers go through 20 levels', count, {
      resting: 5000,
      distance: near,
      takers: 4,
      reach: 20,
      takerQuantity: 500,
    }),
  ]
}

function generated(name, count, { resting, distance, takers, reach = 3, takerQuantity = 10 }) {
  const random = new Random(7)
  const messages = new Messages(name, resting + count * 2)
  const live = []
  const sells = [0]
  let id = 0
  const add = (immediate) => {
    const sell = random.below(2)
    const away = immediate ? -reach : 1 + distance(random)
    id++
    sells.push(sell)
    const quantity = immediate ? takerQuantity : 10
    messages.add(messageType.add, id, sell, middle + (sell === 1 ? away : -away), quantity, immediate ? 1 : 0)
    if (!immediate) live.push(id)
  }
  while (live.length < resting) add(false)
  messages.setUp = messages.length
  const end = resting + count
  while (messages.length < end) {
    const kind = random.below(100)
    if (kind < takers) add(true)
    else if (kind < 50 && live.length <= resting) add(false)
    else {
      const index = random.below(live.length)
      const victim = live[index]
      const sell = sells[victim]
      if (kind < 91) {
        live[index] = live.at(-1)
        live.pop()
        messages.add(messageType.cancel, victim, sell, 0, 0)
      } else {
        const away = 1 + distance(random)
        messages.add(messageType.modify, victim, sell, middle + (sell === 1 ? away : -away), 9)
      }
    }
    if (live.length < resting / 2) add(false)
  }
  return messages
}
