import { describe, expect, it } from 'vitest'
import type { OpenOrdersPage } from '#tidemark/matching/index.js'
import {
  encodeCancel,
  encodeInstrument,
  encodeNew,
  MatchingEngine,
  packedInstrument,
  packedOrderNumbers,
  RecordBuffer,
  unpackOrder,
} from '#tidemark/matching/index.js'
import { encodeRandomCommand, instruments, Random } from './support/random-commands.js'

const command = new Int32Array(128)

interface Place {
  readonly instrumentId: number
  readonly orderId: number
}

function isAfter(a: Place, b: Place): boolean {
  return a.instrumentId > b.instrumentId || (a.instrumentId === b.instrumentId && a.orderId > b.orderId)
}

/** An engine with the instruments of the random commands, and what a command does to it. */
function engineWithBooks() {
  const engine = new MatchingEngine()
  const record = new RecordBuffer()
  const apply = () => {
    record.reset()
    engine.apply(command, 0, record)
  }
  for (const definition of instruments) {
    encodeInstrument(command, 0, 0, 0, definition)
    apply()
  }
  return { engine, apply }
}

function ordersOf({ orders, clientOrderIds }: OpenOrdersPage) {
  return Array.from({ length: orders.length / packedOrderNumbers }, (_, i) => ({
    instrumentId: packedInstrument(orders, i * packedOrderNumbers),
    ...unpackOrder(orders, i * packedOrderNumbers, clientOrderIds.get(i)),
  }))
}

/** The account's orders as the books show them, in the order of pages. */
function expectedOrders(engine: MatchingEngine, account: number) {
  return engine
    .instruments()
    .flatMap(({ instrumentId }) => {
      const { bids, asks, waitingForRise, waitingForFall } = engine.bookState(instrumentId)!
      return [...bids, ...asks, ...waitingForRise, ...waitingForFall].map((order) => ({
        instrumentId,
        ...order,
      }))
    })
    .filter((order) => order.account === account)
    .sort((a, b) => a.instrumentId - b.instrumentId || a.orderId - b.orderId)
}

describe('open orders of an account', () => {
  it('are on each page as they are when its last step is made, whatever happens between the steps', () => {
    let pages = 0
    let stepsMax = 0
    for (let seed = 1; seed <= 60; seed++) {
      const random = new Random(seed)
      const { engine, apply } = engineWithBooks()
      const flow = (count: number) => {
        for (let i = 0; i < count; i++) {
          encodeRandomCommand(command, random, i)
          apply()
        }
      }
      flow(150)
      for (let round = 0; round < 40; round++) {
        const accounts = expectedAccounts(engine)
        const account = accounts.length > 0 ? random.pick(accounts) : 1
        const limit = 1 + random.below(4)
        const isEverywhere = random.chance(50)
        const begin = random.pick(instruments).instrumentId
        const afterOrderId = random.chance(50) ? 0 : random.below(40)
        const walk = engine.openOrders({ account, instrumentId: begin, afterOrderId, isEverywhere, limit })
        const most = 1 + random.below(3)
        let page = walk.step(most)
        let steps = 1
        for (; page === undefined; page = walk.step(most), steps++) flow(random.below(3))
        stepsMax = Math.max(stepsMax, steps)
        pages++
        const { coveredTo } = page
        const expected = expectedOrders(engine, account).filter(
          (order) =>
            (isEverywhere || order.instrumentId === begin) &&
            isAfter(order, { instrumentId: begin, orderId: afterOrderId }) &&
            (coveredTo === undefined || !isAfter(order, coveredTo)),
        )
        expect(ordersOf(page), `seed ${seed} round ${round}`).toEqual(expected)
        expect(page.orders.length / packedOrderNumbers).toBeLessThanOrEqual(limit)
        flow(3)
      }
      engine.verify()
    }
    expect(pages).toBe(2400)
    expect(stepsMax).toBeGreaterThan(5)
  })

  it('that are taken away while their list is walked, by whichever command, end no walk early', () => {
    const { engine, apply } = engineWithBooks()
    const { instrumentId } = instruments[0]!
    const place = (id: number) => {
      encodeNew(command, 0, instrumentId, 0, 0, id, 7, 0, 0, 0, 0, 0, 100, 1, 0, 0, 0, 0)
      apply()
    }
    const cancel = (id: number) => {
      encodeCancel(command, 0, instrumentId, 0, 0, id, -1, 0)
      apply()
    }
    for (const gone of [[3], [1], [1, 2, 3], [3, 2], [2, 1], [1, 2, 3, 4, 5, 6]]) {
      for (let id = 1; id <= 6; id++) place(id)
      const query = { account: 7, instrumentId, afterOrderId: 0, isEverywhere: false, limit: 10 }
      const walk = engine.openOrders(query)
      expect(walk.step(3)).toBeUndefined()
      // The third was looked at last. One that comes again under its id stands at the end.
      for (const id of gone) cancel(id)
      if (gone.length === 1) place(gone[0]!)
      place(20)
      const page = walk.step(100)!
      const left = [1, 2, 3, 4, 5, 6].filter((id) => gone.length === 1 || !gone.includes(id))
      expect(ordersOf(page).map(({ orderId }) => orderId)).toEqual([...left, 20])
      for (const id of [...left, 20]) cancel(id)
    }
    engine.verify()
  })

  it('fill pages that follow each other, and the work of a step does not grow with their number', () => {
    const { engine, apply } = engineWithBooks()
    const { instrumentId } = instruments[0]!
    const count = 20_000
    for (let i = 0; i < count; i++) {
      // Not in the order of their ids.
      const id = 1 + ((i * 7919) % count)
      encodeNew(command, 0, instrumentId, 0, 0, id, 7, 0, 0, 0, 0, 0, 1 + (i % 50), 1, 0, 0, 0, 0)
      apply()
    }
    const seen: number[] = []
    let afterOrderId = 0
    for (;;) {
      const walk = engine.openOrders({
        account: 7,
        instrumentId,
        afterOrderId,
        isEverywhere: true,
        limit: 1000,
      })
      let steps = 1
      let page = walk.step()
      for (; page === undefined; page = walk.step()) steps++
      expect(steps).toBe(Math.ceil(count / 2048))
      seen.push(...ordersOf(page).map(({ orderId }) => orderId))
      if (!page.coveredTo) break
      expect(page.orders.length / packedOrderNumbers).toBe(1000)
      afterOrderId = page.coveredTo.orderId
    }
    expect(seen).toEqual(Array.from({ length: count }, (_, i) => i + 1))
  })

  it('are none for an account and an instrument that have none', () => {
    const { engine } = engineWithBooks()
    const query = { account: 7, instrumentId: 99, afterOrderId: 0, isEverywhere: false, limit: 10 }
    expect(engine.openOrders(query).step()).toEqual({
      orders: new Float64Array(),
      clientOrderIds: new Map(),
      coveredTo: undefined,
    })
    expect(engine.highestOrderId(99)).toBeUndefined()
    expect(engine.highestOrderId(instruments[0]!.instrumentId)).toBeUndefined()
  })
})

function expectedAccounts(engine: MatchingEngine): number[] {
  return engine
    .instruments()
    .flatMap(({ instrumentId }) => engine.bookState(instrumentId)!.accounts.map(({ account }) => account))
}
