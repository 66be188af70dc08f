import { describe, expect, it } from 'vitest'
import type { OrderUpdate } from '#tidemark/server/venue/history.js'
import { UserLog } from '#tidemark/server/venue/user-log.js'

function update(account: number, lsn: number): OrderUpdate {
  return { order: { account, status: 'NEW' }, execution: 'NEW', event: { lsn } } as unknown as OrderUpdate
}

describe('the last updates of orders', () => {
  it('are found from an LSN on, each as it was then, with the one of the account before it', () => {
    const log = new UserLog(100, () => false)
    const first = update(1, 8)
    log.add(first)
    ;(first.order as { status: string }).status = 'FILLED'
    for (const [account, lsn] of [
      [2, 16],
      [1, 24],
      [1, 24],
      [2, 40],
    ] as const)
      log.add(update(account, lsn))
    const entriesAfter = (lsn: number) => {
      const found: number[][] = []
      for (let at = log.positionAfter(lsn); at < log.end; at++) {
        const { executionId, after } = log.at(at)
        found.push([executionId, after])
      }
      return found
    }
    expect(entriesAfter(0)).toEqual([
      [1, 0],
      [2, 0],
      [3, 1],
      [4, 3],
      [5, 2],
    ])
    expect(entriesAfter(16)).toEqual(entriesAfter(0).slice(2))
    expect(entriesAfter(23)).toEqual(entriesAfter(0).slice(2))
    expect(entriesAfter(24)).toEqual(entriesAfter(0).slice(4))
    expect(entriesAfter(40)).toEqual([])
    expect(log.at(0).order.status).toBe('NEW')
    expect(() => log.at(5)).toThrow(RangeError)
  })

  it('are as many as they may be; what is forgotten is known, and who is heard has no gap', () => {
    const heard = new Set([2])
    const log = new UserLog(3, (account) => heard.has(account))
    log.add(update(1, 8))
    log.add(update(2, 16))
    for (let i = 3; i <= 5000; i++) log.add(update(3, 8 * i))
    expect([log.first, log.end, log.forgottenLsn]).toEqual([4997, 5000, 8 * 4997])
    expect(log.positionAfter(0)).toBe(4997)
    expect(() => log.at(4996)).toThrow(RangeError)
    expect([1, 2, 3].map((account) => log.lastOf(account))).toEqual([0, 2, 5000])
    expect([log.add(update(1, 50_000)).after, log.add(update(2, 50_000)).after]).toEqual([0, 2])
  })
})
