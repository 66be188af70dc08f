import { describe, expect, it } from 'vitest'
import { encodeCancel } from '#tidemark/matching/index.js'
import { bundleCommandsMax, CommandBundle, delivered } from '#tidemark/pool/delivery/pending-commands.js'
import { InstrumentRegistry } from '#tidemark/pool/instruments.js'

const group = new Int32Array(6)
encodeCancel(group, 0, 0, 0, 0, 1, -1, 0)

/** Resolves after every microtask that stands in the queue now, and after those that they add. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A bundle of `count` commands, and what became of the promise of each so far: its LSN, or the error's message. */
function newBundle(count: number) {
  const bundle = new CommandBundle(new InstrumentRegistry(1))
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
    return bundle.deliver(group, 0, group.length, lsn)
  }
  return { bundle, outcomes, order, deliver }
}

describe('commands that were submitted in one turn', () => {
  it('are each acknowledged when their own record is durable, not when the last one is', async () => {
    const { bundle, outcomes, order, deliver } = newBundle(4)
    expect(deliver()).toBe(delivered.settles)
    expect(bundle.open).toBe(false)
    expect(outcomes).toEqual([undefined, undefined, undefined, undefined])
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
      const { outcomes, order, deliver } = newBundle(bundleCommandsMax)
      let outcome = 0
      for (let i = 0; i < first; i++) outcome = deliver()
      await turn()
      expect(outcomes.filter((lsn) => lsn !== undefined)).toHaveLength(first)
      while (outcome !== delivered.settlesLast) outcome = deliver()
      await turn()
      expect(outcomes).toEqual(Array.from(outcomes, (_, i) => (i + 1) * 8))
      expect(order).toEqual(Array.from(order, (_, i) => i))
    }
  })

  it('are rejected, those whose records did not become durable and no others, when the pool fails', async () => {
    const failure = new Error('the disk is gone')
    for (let durable = 0; durable < 4; durable++) {
      for (const isHeardOf of [true, false]) {
        const { bundle, outcomes, deliver } = newBundle(4)
        for (let i = 0; i < durable; i++) deliver()
        if (isHeardOf) await turn()
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
    await turn()
    deliver()
    bundle.fail(new Error('the disk is gone'))
    await turn()
    expect(outcomes).toEqual([8, 16, 'the disk is gone', 'the disk is gone'])
  })
})
