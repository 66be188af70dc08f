import { describe, expect, it } from 'vitest'
import { encodeCancel } from '#tidemark/matching/index.js'
import { AcknowledgementLatency } from '#tidemark/pool/delivery/acknowledgement-latency.js'
import { ExpectedRecords } from '#tidemark/pool/delivery/expected-records.js'
import { bundleCommandsMax, CommandBundle, delivered } from '#tidemark/pool/delivery/pending-commands.js'
import { Publisher } from '#tidemark/pool/delivery/publisher.js'
import { WaiterQueue } from '#tidemark/pool/delivery/waiter-queue.js'
import { InstrumentRegistry } from '#tidemark/pool/instruments.js'
import { commandRecordType } from '#tidemark/pool/record-type.js'
import { encodeRequest, requestKind, requestWords } from '#tidemark/pool/shard/requests.js'

const record = new Int32Array(4)
encodeCancel(record, 0, 0, 0, 0, 1, -1, 0)

const clock = { timestampUs: 1_700_000_000_000_000 }

/** Resolves after every microtask that stands in the queue now, and after those that they add. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A bundle of `count` commands, and what became of the promise of each so far: its LSN, or the error's message. */
function newBundle(count: number) {
  const bundle = new CommandBundle({
    registry: new InstrumentRegistry(1),
    latency: new AcknowledgementLatency(),
  })
  const outcomes: (number | string | undefined)[] = Array(count).fill(undefined)
  const order: number[] = []
  for (let i = 0; i < count; i++) {
    bundle.add().then(
      ({ lsn }) => {
        outcomes[i] = lsn
        order.push(i)
      },
      (error: Error) => (outcomes[i] = error.message),
    )
  }
  let lsn = 0
  const deliver = () => {
    lsn += 8
    return bundle.deliver(record, 0, record.length, lsn, false, clock)
  }
  return { bundle, outcomes, order, deliver }
}

describe('commands that were submitted in one turn', () => {
  it('are each acknowledged when their own record is durable, not when the last one is', async () => {
    const { bundle, outcomes, order, deliver } = newBundle(4)
    expect(deliver()).toBe(delivered.settles)
    expect(bundle.isOpen).toBe(false)
    await turn()
    expect(outcomes).toEqual([undefined, undefined, undefined, undefined])
    bundle.release()
    await turn()
    expect(outcomes).toEqual([8, undefined, undefined, undefined])
    expect(deliver()).toBe(delivered.settles)
    expect(deliver()).toBe(delivered.settles)
    await turn()
    expect(outcomes).toEqual([8, 16, 24, undefined])
    expect(deliver()).toBe(delivered.settlesLast)
    await turn()
    expect(outcomes).toEqual([8, 16, 24, 32])
    expect(order).toEqual([0, 1, 2, 3])
  })

  it('are acknowledged in their order, whatever becomes durable at once', async () => {
    for (let first = 1; first <= bundleCommandsMax; first += 9) {
      const { bundle, outcomes, order, deliver } = newBundle(bundleCommandsMax)
      let outcome = 0
      for (let i = 0; i < first; i++) outcome = deliver()
      bundle.release()
      await turn()
      expect(outcomes.filter((lsn) => lsn !== undefined)).toHaveLength(first)
      while (outcome !== delivered.settlesLast) outcome = deliver()
      await turn()
      expect(outcomes).toEqual(Array.from(outcomes, (_, i) => (i + 1) * 8))
      expect(order).toEqual(Array.from(order, (_, i) => i))
    }
  })

  it('are acknowledged in their order when more is durable before the turn in which some were is over', async () => {
    const { bundle, outcomes, order, deliver } = newBundle(4)
    deliver()
    bundle.release()
    expect(deliver()).toBe(delivered.settles)
    await turn()
    expect(outcomes).toEqual([8, 16, undefined, undefined])
    expect(deliver()).toBe(delivered.settles)
    expect(deliver()).toBe(delivered.settlesLast)
    await turn()
    expect(outcomes).toEqual([8, 16, 24, 32])
    expect(order).toEqual([0, 1, 2, 3])
  })

  it('are rejected, those whose records did not become durable and no others, when the pool fails', async () => {
    const failure = new Error('the disk is gone')
    for (let durable = 0; durable < 4; durable++) {
      for (const isHeardOf of [true, false]) {
        const { bundle, outcomes, deliver } = newBundle(4)
        for (let i = 0; i < durable; i++) deliver()
        if (isHeardOf) {
          if (durable > 0) bundle.release()
          await turn()
        }
        bundle.fail(failure)
        await turn()
        const expected = outcomes.map((_, i) => (i < durable ? (i + 1) * 8 : failure.message))
        expect(outcomes, `${durable} durable, heard of: ${isHeardOf}`).toEqual(expected)
      }
    }
  })

  it('are rejected when the pool fails after some of those that came later were acknowledged', async () => {
    const { bundle, outcomes, deliver } = newBundle(4)
    deliver()
    bundle.release()
    await turn()
    deliver()
    bundle.fail(new Error('the disk is gone'))
    await turn()
    expect(outcomes).toEqual([8, 16, 'the disk is gone', 'the disk is gone'])
  })
})

describe('the queue of those who wait for a shard', () => {
  function newQueue() {
    const latency = new AcknowledgementLatency()
    const queue = new WaiterQueue({ registry: new InstrumentRegistry(1), latency }, () => {})
    return { queue, latency }
  }

  it('acknowledges what is durable of a bundle when the rest is not, and counts each command', async () => {
    const { queue, latency } = newQueue()
    const reports = [1, 2, 3].map(() => queue.addCommand(record, 0))
    expect(queue.commands).toBe(3)
    const lsns: number[] = []
    for (const report of reports) report.then(({ lsn }) => lsns.push(lsn))
    expect(queue.deliver(record, 0, record.length, 8, false, clock)).toBe(true)
    await turn()
    expect(lsns).toEqual([])
    queue.release()
    await turn()
    expect(lsns).toEqual([8])
    expect(queue.commands).toBe(2)
    for (const lsn of [16, 24]) queue.deliver(record, 0, record.length, lsn, false, clock)
    await turn()
    expect(lsns).toEqual([8, 16, 24])
    expect(queue.commands).toBe(0)
    expect(latency.summary().count).toBe(3)
  })

  it('refuses a record for which no command is in flight', () => {
    expect(() => newQueue().queue.deliver(record, 0, record.length, 8, false, clock)).toThrow(
      'No command is in flight for the record that ends at LSN 8',
    )
  })
})

describe('the check of the order of records', () => {
  const tagged = (tag: number) => {
    const words = new Int32Array(6)
    encodeCancel(words, 0, 3, tag, 0, 1, -1, 0)
    return words
  }

  it('refuses a record of another command than the one that is due', () => {
    const expected = new ExpectedRecords()
    for (const tag of [1, 2]) expected.add(tagged(tag), 0, 6)
    expected.check(tagged(1), 0, 8, false)
    expect(() => expected.check(tagged(1), 0, 16, false)).toThrow(
      'in the order in which they were handed over',
    )
    expected.check(tagged(2), 0, 16, false)
    expect(() => expected.check(tagged(2), 0, 24, false)).toThrow(
      'in the order in which they were handed over',
    )
  })

  it('takes several records of a command that concerns several symbols', () => {
    const expected = new ExpectedRecords()
    const request = new Int32Array(requestWords)
    encodeRequest(request, requestKind.cancelAllSymbols, 0, 0, 7, 0, 1, 0)
    expected.add(request, 0, requestWords)
    expected.check(tagged(7), 0, 8, true)
    expect(() => expected.check(tagged(8), 0, 16, false)).toThrow('handed over')
    expected.check(tagged(7), 0, 16, false)
  })
})

describe('the publisher', () => {
  it('refuses a record whose LSN is not above that of the one before', () => {
    const publisher = new Publisher(
      [],
      { registry: new InstrumentRegistry(1), latency: new AcknowledgementLatency() },
      () => 0,
    )
    const otherType = commandRecordType + 1
    publisher.visit(record, 0, record.length, 16, otherType, 0, 1)
    for (const lsn of [16, 8]) {
      expect(() => publisher.visit(record, 0, record.length, lsn, otherType, 0, 1)).toThrow('by rising LSN')
    }
    publisher.visit(record, 0, record.length, 24, otherType, 0, 1)
  })
})
