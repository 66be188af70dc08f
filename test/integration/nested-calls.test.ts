import { describe, expect, it } from 'vitest'
import { JobController } from '#tidemark/jobs/index.js'
import type { Command } from '#tidemark/matching/index.js'
import { eventsOf, limit, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'
import { collectUncaught } from '../support/uncaught.js'

/** A command whose quantity is read by a function of the caller's, which does `call` first. */
function reading(orderId: number, call: () => void) {
  return {
    ...limit(orderId, 'buy', '100', '1'),
    get quantity() {
      call()
      return '1'
    },
  }
}

async function codeOf(answer: Promise<unknown>): Promise<unknown> {
  return answer.then(
    () => 'it was taken',
    (error: { code?: string }) => error.code,
  )
}

describe('a call of the pool out of a field of a command that is being submitted', () => {
  it('leaves that command as it is, and is refused or comes after it', async () => {
    const pool = await openPool({ shards: 1 })
    let nested: Promise<unknown>[] = []
    const outer = await pool.submit(
      reading(1, () => {
        if (nested.length > 0) return
        nested = [
          codeOf(pool.submit(limit(2, 'sell', '200', '3'))),
          codeOf(pool.submitBatch([limit(3, 'sell', '300', '3')])),
          codeOf(pool.submit({ type: 'cancel-all', account: 4 })),
          codeOf(pool.addInstrument({ symbol: 'X', tickSize: '1', lotSize: '1' })),
          pool.order('BTC-USD', 1).then(({ order }) => order?.orderId),
        ]
      }),
    )
    expect(outer).toMatchObject({ orderId: 1, status: 'resting', remaining: '1.00000' })
    const backpressure = 'TIDEMARK_BACKPRESSURE'
    expect(await Promise.all(nested)).toEqual([backpressure, backpressure, backpressure, backpressure, 1])
    expect(await pool.submit(limit(5, 'sell', '200', '3'))).toMatchObject({ orderId: 5, status: 'resting' })
    const orders = (await eventsOf(pool)).filter(({ event }) => event === 'accepted')
    expect(orders.map((event) => 'orderId' in event && event.orderId)).toEqual([1, 5])
  })

  it('leaves room for other commands when that field throws', async () => {
    const pool = await openPool({ shards: 1 })
    const broken = reading(1, () => {
      throw new Error('no quantity')
    })
    await expect(pool.submit(broken)).rejects.toThrow('no quantity')
    expect(await pool.submit(limit(2, 'sell', '200', '3'))).toMatchObject({ orderId: 2, status: 'resting' })
  })

  it('is followed by drain when it is refused', async () => {
    const pool = await openPool({ shards: 1 })
    const drained = new Promise<void>((resolve) => pool.on('drain', resolve))
    const outer = pool.submit(
      reading(1, () => {
        pool.submit(limit(2, 'sell', '200', '3')).catch(() => {})
        throw new Error('no quantity')
      }),
    )
    await expect(outer).rejects.toThrow('no quantity')
    await drained
  })
})

describe('a batch that is changed out of a field of a command that is being added to it', () => {
  it('refuses the change, and has each command once', async () => {
    const pool = await openPool({ shards: 1 })
    const instrument = pool.instrument('BTC-USD')!
    const batch = pool.batch()
    batch.add(limit(9, 'buy', '90', '1'))
    const errors: unknown[] = []
    const changes = [
      () => batch.add(limit(2, 'buy', '90', '1')),
      () => batch.addCancel(instrument.id, 1),
      () => batch.clear(),
    ]
    batch.add(
      reading(1, () => {
        for (const change of changes.splice(0)) {
          try {
            change()
          } catch (error) {
            errors.push((error as { code?: string }).code)
          }
        }
      }),
    )
    expect(errors).toEqual(['TIDEMARK_BAD_ARGUMENT', 'TIDEMARK_BAD_ARGUMENT', 'TIDEMARK_BAD_ARGUMENT'])
    expect(batch.length).toBe(2)
    expect(await pool.submitBatch(batch)).toMatchObject({ commands: 2, rejected: 0 })
    const accepted = (await eventsOf(pool)).filter(({ event }) => event === 'accepted')
    expect(accepted.map((event) => 'orderId' in event && event.orderId)).toEqual([9, 1])
  })

  it('takes other commands after one whose field throws', async () => {
    const pool = await openPool({ shards: 1 })
    const batch = pool.batch()
    const broken = reading(1, () => {
      throw new Error('no quantity')
    })
    expect(() => batch.add(broken)).toThrow('no quantity')
    batch.add(limit(2, 'buy', '90', '1'))
    expect(await pool.submitBatch(batch)).toMatchObject({ commands: 1, rejected: 0 })
  })
})

describe('an instrument that is added out of a field of another one', () => {
  it.each(['symbol', 'tag'] as const)('has a number of its own: %s', async (field) => {
    const pool = await openPool({ instruments: [] })
    const inner = { type: 'instrument', symbol: 'INNER', tickSize: '1', lotSize: '1' } as const
    const outer = { ...inner, symbol: 'OUTER', tag: 1 }
    let nested: Promise<unknown> | undefined
    const command = Object.defineProperty({ ...outer }, field, {
      enumerable: true,
      get() {
        nested ??= pool.submit(inner)
        return outer[field]
      },
    })
    await pool.submit(command)
    await nested
    expect(pool.instruments().map(({ id, symbol }) => [id, symbol])).toEqual([
      [0, 'INNER'],
      [1, 'OUTER'],
    ])
  })
})

describe('a batch that is changed by a number of a positional adder', () => {
  it.each(['tag', 'side', 'timeInForce'] as const)('refuses an object as the number: %s', async (field) => {
    const pool = await openPool({ shards: 1 })
    const { id } = pool.instrument('BTC-USD')!
    const batch = pool.batch()
    const adding = {
      valueOf() {
        batch.addCancel(id, 8)
        return 0
      },
    } as unknown as number
    const numbers = { side: 0, timeInForce: 0, tag: 0, [field]: adding }
    expect(() => batch.addNew(id, 7, 1, numbers.side, 0, numbers.timeInForce, 100, 5, numbers.tag)).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_FIELD_TYPE' }),
    )
    expect(batch.length).toBe(0)
  })
})

describe('commands that are submitted out of a field of a cancel-all or an instrument', () => {
  it('count for the limit of both', async () => {
    const pool = await openPool({ shards: 1, maxInFlight: 2 })
    const cancelAll = (depth: number): object => ({
      type: 'cancel-all',
      account: 4,
      get tag() {
        if (depth > 0) nested.push(codeOf(pool.submit(cancelAll(depth - 1) as Command)))
        return 1
      },
    })
    const nested: Promise<unknown>[] = []
    nested.push(codeOf(pool.submit(cancelAll(4) as Command)))
    const codes = await Promise.all(nested)
    expect(codes.filter((code) => code === 'it was taken')).toHaveLength(2)
    expect(new Set(codes)).toEqual(new Set(['it was taken', 'TIDEMARK_BACKPRESSURE']))
  })
})

describe('a subscription whose signal', () => {
  const signal = { aborted: false, addEventListener() {}, removeEventListener() {} }
  const broken = (field: keyof typeof signal) =>
    Object.defineProperty({ ...signal }, field, {
      get() {
        // Looked at first when the options are checked.
        return field === 'aborted' ? fail() : fail
      },
    }) as unknown as AbortSignal
  function fail(): never {
    throw new Error('a signal of the caller’s')
  }

  it.each(['aborted', 'addEventListener'] as const)('throws in %s leaves the cursor free', async (field) => {
    const pool = await openPool({ shards: 1 })
    expect(() => pool.subscribe({ cursor: 'risk', signal: broken(field) })).toThrow(
      'a signal of the caller’s',
    )
    expect(pool.cursors()).toEqual([])
    const risk = pool.subscribe({ cursor: 'risk' })
    await risk.return()
  })

  it('subscribes to the same cursor leaves it to that one', async () => {
    const pool = await openPool({ shards: 1 })
    const subscribing = {
      ...signal,
      addEventListener() {
        pool.subscribe({ cursor: 'risk' })
      },
    } as unknown as AbortSignal
    expect(() => pool.subscribe({ cursor: 'risk', signal: subscribing })).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_CURSOR_IN_USE' }),
    )
    expect(pool.cursors()).toMatchObject([{ name: 'risk', live: true }])
  })

  it('throws when it is left releases the cursor, and the process gets the error', async () => {
    const pool = await openPool({ shards: 1 })
    const uncaught = collectUncaught()
    const risk = pool.subscribe({ cursor: 'risk', signal: broken('removeEventListener') })
    await risk.return()
    expect(uncaught).toMatchObject([{ message: 'a signal of the caller’s' }])
    expect(pool.cursors()).toMatchObject([{ name: 'risk', live: false }])
  })
})

describe('a queue that is closed out of the options of its close', () => {
  it('is closed once', async () => {
    const queue = await JobController.open({ dir: temporaryDirectory() })
    let reads = 0
    let inner: Promise<void> | undefined
    const outer = queue.close({
      get graceMs() {
        // Looked at first when the options are checked.
        if (++reads === 2) inner = queue.close()
        return 5
      },
    })
    expect(inner).toBe(outer)
    await outer
  })
})
