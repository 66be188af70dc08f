import { describe, expect, it } from 'vitest'
import type { LobsterSummary } from '#tidemark/cli/run/lobster-figures.js'
import { compareDigests, exitCodeOfRun } from '#tidemark/cli/run/run.js'

const same = compareDigests({ A: '1', B: '2' }, { B: '2', A: '1' }, 5)
const quotes = (localDifferences: number) => ({ lobster: { quotes: { localDifferences } } as LobsterSummary })
const plain = { lobster: undefined }

describe('verification', () => {
  it('compares every symbol of either side, and names those that differ', () => {
    expect(same).toEqual({ identical: true, symbols: 2, different: [], reopenMs: 5 })
    expect(compareDigests({ A: '1', B: '2' }, { A: '9', C: '3' }, 0)).toMatchObject({
      identical: false,
      symbols: 3,
      different: ['A', 'B', 'C'],
    })
  })

  it('ends a run with 4 when books differ or the log does not fit the reports, interrupted or not', () => {
    const different = compareDigests({ A: '1' }, { A: '2' }, 0)
    expect(exitCodeOfRun(plain, different, false)).toBe(4)
    expect(exitCodeOfRun(plain, different, true)).toBe(4)
    expect(exitCodeOfRun(quotes(1), same, false)).toBe(4)
  })

  it('ends a run without a fault with 0, and an interrupted one with 130', () => {
    expect(exitCodeOfRun(plain, undefined, false)).toBe(0)
    expect(exitCodeOfRun(quotes(0), same, false)).toBe(0)
    expect(exitCodeOfRun(plain, same, true)).toBe(130)
  })
})
