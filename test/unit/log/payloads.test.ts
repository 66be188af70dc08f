import { describe, expect, it } from 'vitest'
import { DurableLog } from '#tidemark/log/index.js'
import { temporaryDirectory } from '../../support/temporary.js'

const record = () => new Uint8Array(8)

function fail(): never {
  throw new Error('a getter of the caller’s')
}

/** Calls `append` with what is refused; then the log must be as before, and take another record. */
async function takesNothing(append: (log: DurableLog) => void): Promise<void> {
  const log = await DurableLog.open({ dir: temporaryDirectory() })
  const { tailLsn } = log
  expect(() => append(log)).toThrow(expect.objectContaining({ code: 'TIDEMARK_BAD_RECORD' }))
  expect(log.tailLsn).toBe(tailLsn)
  const lsn = log.append(record())
  await log.waitDurable(lsn)
  expect(log.durableLsn).toBe(lsn)
  await log.close()
}

const notPayloads: [string, (log: DurableLog) => unknown][] = [
  ['a text', () => 'hello'],
  ['a view of another kind', () => new DataView(new ArrayBuffer(8))],
  ['a proxy', () => new Proxy(record(), {})],
  [
    'an object like an array, one of whose elements throws',
    () => ({
      byteLength: 8,
      length: 8,
      get 3() {
        return fail()
      },
    }),
  ],
]

describe('a payload', () => {
  it.each(notPayloads)(
    'that is %s is refused, alone and in a batch, before its place is claimed',
    async (_, make) => {
      await takesNothing((log) => log.append(make(log) as Uint8Array))
      await takesNothing((log) => log.appendBatch([record(), make(log) as Uint8Array]))
    },
  )

  it('has the length that the engine knows, not the one that a getter of its own says', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory() })
    let calls = 0
    const payload = Object.defineProperty(Uint8Array.of(1, 2, 3), 'byteLength', {
      get() {
        calls++
        if (calls > 1) fail()
        return 16
      },
    })
    const lsn = log.append(payload)
    const last = log.appendBatch([payload])
    await log.waitDurable(last)
    const read: number[][] = []
    for await (const { payload: bytes } of log.reader({ to: last })) read.push([...bytes])
    expect(read).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
    expect(last).toBe(lsn * 2)
    await log.close()
  })

  it('may append another one out of an array that is appended as a batch, which is read once', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory() })
    let reads = 0
    const payloads = Object.defineProperty([record(), record()], 1, {
      get() {
        if (++reads > 1) fail()
        log.append(Uint8Array.of(7))
        return record()
      },
    })
    const lsn = log.appendBatch(payloads)
    await log.waitDurable(lsn)
    const lengths: number[] = []
    for await (const { payload } of log.reader({ to: lsn })) lengths.push(payload.length)
    expect(lengths).toEqual([1, 8, 8])
    await log.close()
  })

  it('has flags that are a whole number', async () => {
    let reads = 0
    const flags = {
      valueOf(): number {
        if (++reads > 1) fail()
        return 0
      },
    } as unknown as number
    await takesNothing((log) => log.append(record(), 1, flags))
    reads = 0
    await takesNothing((log) => log.appendBatch([record()], 1, flags))
  })
})

describe('waitDurable', () => {
  it.each([
    ['a bigint', 8n],
    ['a text', '8'],
    ['an object', { valueOf: (): number => 8 }],
  ])('refuses %s as an LSN: it would be compared with others later', async (_, lsn) => {
    const log = await DurableLog.open({ dir: temporaryDirectory() })
    log.append(record())
    for (const wait of [log.waitDurable(lsn as number), log.waitSynced(lsn as number)])
      await expect(wait).rejects.toMatchObject({ code: 'TIDEMARK_BAD_LSN' })
    await log.close()
  })
})
