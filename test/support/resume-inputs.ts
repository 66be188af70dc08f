import { writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { Random } from './random.js'

/** Inputs of every kind that `tidemark run` takes, as the arguments that name them; files go into `folder`. */
export function resumeInputs(folder: string): Record<string, readonly string[]> {
  const file = (name: string, content: string | Buffer) => {
    const target = path.join(folder, name)
    writeFileSync(target, content)
    return target
  }
  const lobster = lobsterFiles(2500)
  return {
    generated: ['--commands', '6000', '--symbols', '3', '--accounts', '9', '--resting', '200'],
    commands: [file('flow.jsonl', commandLines(5000))],
    lobster: [
      file('AB_message_1.csv', lobster.messages),
      '--orderbook',
      file('AB_orderbook_1.csv', lobster.orderbook),
    ],
    'matching-engine-benchmark': [file('flow.bin', benchmarkMessages(6000))],
  }
}

/** JSON lines with every type of command, with and without account, and with lines that are refused. */
function commandLines(count: number): string {
  const random = new Random(7)
  const symbols = ['AA', 'BB', 'CC']
  const lines: string[] = []
  const say = (command: object) => void lines.push(JSON.stringify(command))
  const instrument = (symbol: string) => say({ type: 'instrument', symbol, tickSize: '0.5', lotSize: '1' })
  const open = new Map<string, [orderId: number, account: number][]>(symbols.map((symbol) => [symbol, []]))
  instrument('AA')
  instrument('BB')
  for (let id = 1; lines.length < count; id++) {
    // CC is named before it is there: those lines are refused, and must be refused again.
    if (lines.length === 300) instrument('CC')
    if (id % 500 === 0) instrument('AA')
    const symbol = symbols[random.int(3)]!
    const orders = open.get(symbol)!
    const what = random.int(200)
    const [orderId, account] = orders[random.int(orders.length)] ?? [1, 1]
    const owner = random.int(2) ? { account } : {}
    const price = String(90 + random.int(20))
    if (what === 0) say({ type: 'cancel-all', account: 1 + random.int(5) })
    else if (what === 1) say({ type: 'phase', symbol, phase: 'halted' })
    else if (what < 5) say({ type: 'phase', symbol, phase: 'continuous' })
    else if (what < 7) say({ type: 'expire', symbol, time: 1000 * id, endOfDay: random.int(2) === 0 })
    else if (what < 9) lines.push('no command')
    else if (what < 30) say({ type: 'cancel', symbol, orderId, ...owner })
    else if (what < 45)
      say({ type: 'replace', symbol, orderId, price, quantity: 1 + random.int(9), ...owner })
    else if (what < 60) say({ type: 'reduce', symbol, orderId, quantity: 1 + random.int(3), ...owner })
    else {
      const side = random.int(2) ? 'buy' : 'sell'
      const stop = what < 70 ? { orderType: 'stop', stopPrice: price } : { orderType: 'limit', price }
      const timeInForce = what < 80 ? 'DAY' : what < 90 ? 'IOC' : 'GTC'
      const by = 1 + random.int(5)
      say({
        type: 'new',
        symbol,
        orderId: id,
        account: by,
        side,
        ...stop,
        quantity: 1 + random.int(20),
        timeInForce,
      })
      orders.push([id, by])
    }
  }
  return `${lines.join('\n')}\n`
}

/** A message file and its order book file: what is shown is made up, so that orders are cancelled for being better. */
function lobsterFiles(rows: number): { messages: string; orderbook: string } {
  const random = new Random(11)
  const messages: string[] = []
  const orderbook: string[] = []
  const open: { id: number; price: number; sell: number }[] = []
  for (let row = 0; row < rows; row++) {
    const sell = random.int(2)
    const what = random.int(20)
    const order = open[random.int(open.length)]
    const say = (type: number, id: number, size: number, price: number, direction: number) =>
      void messages.push(`${34200 + row * 0.01},${type},${id},${size},${price},${direction ? -1 : 1}`)
    if (what === 0 && row % 3 === 0) say(7, 0, 0, row % 2 ? -1 : 1, 1)
    else if (what < 10 || !order) {
      const price = 1_000_000 + (sell ? 1 : -1) * 100 * (1 + random.int(20))
      open.push({ id: row + 1, price, sell })
      say(1, row + 1, 1 + random.int(100), price, sell)
    } else if (what < 13) say(2, order.id, 1 + random.int(20), order.price, order.sell)
    else if (what < 16) say(3, order.id, 1, order.price, order.sell)
    else say(4, order.id, 1 + random.int(60), order.price, order.sell)
    const [ask, bid] = [1_000_100 + 100 * random.int(8), 999_900 - 100 * random.int(8)]
    orderbook.push(`${ask},50,${bid},50`)
  }
  return { messages: `${messages.join('\n')}\n`, orderbook: `${orderbook.join('\n')}\n` }
}

/** The binary form of matching-engine-benchmark: new orders, cancels and modifies. */
function benchmarkMessages(count: number): Buffer {
  const random = new Random(13)
  const bytes = Buffer.alloc(16 + 40 * count)
  bytes.writeBigUInt64LE(0x4d4542575f303031n, 0)
  bytes.writeUInt32LE(count, 12)
  for (let i = 0; i < count; i++) {
    const at = 16 + 40 * i
    const what = random.int(10)
    bytes.writeUInt8(what < 6 ? 0 : what < 8 ? 1 : 2, at)
    bytes.writeUInt8(random.int(2), at + 1)
    bytes.writeUInt8(random.int(5) === 0 ? 1 : 0, at + 2)
    bytes.writeUInt32LE(1 + random.int(50), at + 4)
    bytes.writeBigUInt64LE(BigInt(i + 1), at + 8)
    bytes.writeBigUInt64LE(BigInt(what < 6 ? i + 1 : 1 + random.int(i + 1)), at + 16)
    bytes.writeBigInt64LE(BigInt(1000 + random.int(40)), at + 24)
  }
  return bytes
}
