import { describe, expect, it } from 'vitest'
import { type FlowSettings, flowDefaults, formatMix, parseMix } from '#tidemark/cli/flow/flow-settings.js'
import { FlowSource } from '#tidemark/cli/flow/flow-source.js'
import { Random } from '#tidemark/cli/flow/random.js'
import {
  commandGrids,
  encodeCommand,
  type InstrumentDefinition,
  maxCommandWords,
  type NewCommand,
} from '#tidemark/matching/index.js'
import { RecordedBatch, recordedTarget } from './recorded-batch.js'

function generate(settings: Partial<FlowSettings>, goal = 1000, firstOrderId = 1) {
  const source = new FlowSource({ ...flowDefaults, commands: 5000, ...settings }, firstOrderId)
  source.begin(recordedTarget(source.instruments.map(({ symbol }) => symbol)))
  const batch = new RecordedBatch()
  while (source.fill(batch.asBatch, goal)) batch.clear()
  return batch.calls
}

describe('the generated flow', () => {
  it('is the same for a seed however it is cut into batches', () => {
    expect(generate({ seed: 7 }, 1)).toEqual(generate({ seed: 7 }, 777))
  })

  it('is another one for another seed, in the upper bits too', () => {
    expect(generate({ seed: 7 })).not.toEqual(generate({ seed: 8 }))
    expect(generate({ seed: 7 })).not.toEqual(generate({ seed: 7 + 2 ** 32 }))
  })

  it('has as many commands as asked for, with their indexes as tags', () => {
    expect(generate({ commands: 321 }).map((call) => call.at(-1))).toEqual(
      Array.from({ length: 321 }, (_, i) => i),
    )
  })

  it('uses every symbol, and the first ones most', () => {
    const times = [0, 0, 0, 0]
    for (const [, instrumentId] of generate({ symbols: 4 })) times[instrumentId as number]!++
    expect(times[3]).toBeGreaterThan(0)
    expect(times[0]).toBeGreaterThan(2 * times[3]!)
  })

  it('cancels and replaces only orders that it has placed and not cancelled', () => {
    const open = new Set<string>()
    for (const [kind, instrumentId, orderId] of generate({})) {
      const key = `${instrumentId}:${orderId}`
      if (kind === 'new') open.add(key)
      else expect(open.has(key)).toBe(true)
      if (kind === 'cancel') open.delete(key)
    }
  })

  it('never gives an order id twice, and begins at the given one', () => {
    const ids = generate({}, 1000, 5000)
      .filter(([kind]) => kind === 'new')
      .map((call) => call[2] as number)
    expect(new Set(ids).size).toBe(ids.length)
    expect(Math.min(...ids)).toBe(5000)
  })

  it('consists of what the mix says', () => {
    const calls = generate({ mix: parseMix('add=1,market=1')!, restingOrders: 1_000_000 })
    expect(new Set(calls.map(([kind]) => kind))).toEqual(new Set(['new']))
    const markets = calls.filter((call) => call[5] === 1)
    expect(markets.length / calls.length).toBeCloseTo(0.5, 1)
  })

  it('takes each symbol through its day, with orders for the open and the close, where the mix says so', () => {
    const calls = generate({ mix: parseMix('add=20,phases=1')!, symbols: 2, commands: 3000 })
    const days = new Map<string, string[]>()
    for (const [kind, command] of calls) {
      if (kind !== 'add') continue
      const { symbol, phase, closing } = command as { symbol: string; phase: string; closing?: boolean }
      days.set(symbol, [...(days.get(symbol) ?? []), `${phase}${closing ? ' closing' : ''}`])
    }
    expect(days.size).toBe(2)
    for (const phases of days.values()) {
      expect(phases.length).toBeGreaterThan(6)
      expect(phases.slice(0, 7)).toEqual([
        'auction',
        'continuous',
        'auction closing',
        'closed',
        'pre-open',
        'continuous',
        'auction',
      ])
    }
    const times = new Set(calls.filter(([kind]) => kind === 'new').map((call) => call[6]))
    expect(times).toEqual(new Set([0, 5, 6]))
  })

  it('has orders that wait for a price, and lists, where the mix says so', () => {
    const calls = generate({ mix: parseMix('add=2,stops=1,lists=1')!, commands: 2000 })
    const commands = calls
      .filter(([kind]) => kind === 'add')
      .map((call) => call[1] as Record<string, unknown>)
    const count = (test: (command: Record<string, unknown>) => boolean) => commands.filter(test).length
    expect(count(({ type }) => type === 'new')).toBeGreaterThan(400)
    for (const listType of ['oco', 'oto', 'otoco'])
      expect(count((command) => command['listType'] === listType)).toBeGreaterThan(100)
    for (const field of ['trailingOffset', 'trailingBasisPoints', 'stopPrice'])
      expect(count((command) => command[field] !== undefined)).toBeGreaterThan(80)
  })

  it('has orders for an amount, with a minimum and pegged ones where the mix names them', () => {
    const calls = generate({ mix: parseMix('add=1,amount=1,minimum=1,peg=1')!, restingOrders: 1_000_000 })
    const orders = calls.filter(([kind]) => kind === 'add').map(([, order]) => order as NewCommand)
    expect(orders.length / calls.length).toBeCloseTo(0.75, 1)
    const book = { instrumentId: 1, tickSize: '0.01', lotSize: '0.001' }
    const words = new Int32Array(maxCommandWords)
    for (const order of orders) encodeCommand(words, 0, order, commandGrids(book as InstrumentDefinition))
    const fields = ['quoteQuantity', 'minQuantity', 'peg'] as const
    for (const field of fields)
      expect(orders.filter((order) => order[field] !== undefined).length / calls.length).toBeCloseTo(0.25, 1)
    expect(formatMix(parseMix('add=1,peg=2')!)).toBe('add=1,peg=2')
  })

  it('refuses a malformed mix', () => {
    for (const text of ['', 'add', 'add=', 'add=-1,ioc=1', 'add=x', 'swim=1', 'add=0', 'add=1=2']) {
      expect(parseMix(text)).toBeUndefined()
    }
  })
})

describe('random words', () => {
  it('are those of sfc32 for its counter 1 and fifteen rounds of warming up', () => {
    // sfc32 written out a second time, with unsigned 64-bit arithmetic.
    let [a, b, c, counter] = [12345n, 0n, 0x9e3779b9n, 1n]
    const mask = 0xffffffffn
    const word = () => {
      const sum = (a + b + counter) & mask
      counter = (counter + 1n) & mask
      a = b ^ (b >> 9n)
      b = (c + (c << 3n)) & mask
      c = ((((c << 21n) | (c >> 11n)) & mask) + sum) & mask
      return sum
    }
    for (let i = 0; i < 15; i++) word()
    const random = new Random(12345)
    for (let i = 0; i < 1000; i++) expect(random.word() >>> 0).toBe(Number(word()))
  })
})
