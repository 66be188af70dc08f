import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type PhaseCommand, phaseCodes } from '#tidemark/matching/index.js'
import { PhaseSchedule, type ScheduledPhase } from '#tidemark/pool/intake/phase-schedule.js'
import { ManualClock } from '../../support/manual-clock.js'

const noon = Date.UTC(2026, 10, 27, 12)

/** A schedule whose phases are noted where they would be sent. */
function schedule(phases: readonly ScheduledPhase[], answers: (Error | undefined)[] = []) {
  const clock = new ManualClock(noon)
  const sent: string[] = []
  const started = new PhaseSchedule(phases, {
    clock,
    check: ({ symbol, phase }) => {
      if (symbol !== 'A' && symbol !== 'B') throw new Error(`no ${symbol}`)
      if (!(phase in phaseCodes)) throw new Error(`no ${phase}`)
    },
    submit: async ({ symbol, phase, closing }: PhaseCommand) => {
      const answer = answers.shift()
      if (answer) throw answer
      sent.push(`${symbol} ${phase}${closing ? ' closing' : ''} ${clock.wallMs() - noon}`)
      return {} as never
    },
  })
  const advance = async (ms: number) => {
    clock.advance(ms)
    await turn()
  }
  return { started, sent, clock, advance }
}

describe('a schedule of phases', () => {
  it('sends each when its time has come, in the order of the times', async () => {
    const { started, sent, advance } = schedule([
      { at: noon + 2000, symbol: 'A', phase: 'continuous' },
      { at: new Date(noon + 1000), symbol: 'A', phase: 'auction', closing: true },
      { at: noon + 2000, symbol: 'B', phase: 'closed' },
    ])
    expect(started.remaining).toBe(3)
    await advance(999)
    expect(sent).toEqual([])
    await advance(1)
    expect(sent).toEqual(['A auction closing 1000'])
    await advance(1000)
    expect(sent).toEqual(['A auction closing 1000', 'A continuous 2000', 'B closed 2000'])
    await started.done
    expect(started.remaining).toBe(0)
  })

  it('sends of what is over only the last phase of each symbol, at once', async () => {
    const { started, sent } = schedule([
      { at: noon - 3000, symbol: 'A', phase: 'pre-open' },
      { at: noon - 2000, symbol: 'B', phase: 'pre-open' },
      { at: noon - 1000, symbol: 'A', phase: 'auction' },
      { at: noon, symbol: 'A', phase: 'continuous' },
    ])
    await started.done
    expect(sent).toEqual(['B pre-open 0', 'A continuous 0'])
  })

  it('waits longer than a timer takes', async () => {
    const days = 40 * 86_400_000
    const { sent, advance, started } = schedule([{ at: noon + days, symbol: 'A', phase: 'closed' }])
    await advance(2 ** 31)
    expect(sent).toEqual([])
    await advance(days)
    expect(sent).toEqual([`A closed ${days}`])
    await started.done
  })

  it('sends a phase again that the pool had no room for, and ends with the error of another refusal', async () => {
    const full = Object.assign(new Error('full'), { code: 'TIDEMARK_BACKPRESSURE' })
    const closed = Object.assign(new Error('closed'), { code: 'TIDEMARK_POOL_CLOSED' })
    const phases = [1, 2, 3].map((at) => ({ at: noon + at, symbol: 'A', phase: 'halted' as const }))
    const { sent, advance, started } = schedule(phases, [full, undefined, closed])
    await advance(1)
    expect(sent).toEqual([])
    await advance(100)
    await expect(started.done).rejects.toBe(closed)
    expect(sent).toHaveLength(1)
    expect(started.remaining).toBe(0)
  })

  it('sends nothing after it was stopped', async () => {
    const { started, sent, advance, clock } = schedule([{ at: noon + 5, symbol: 'A', phase: 'closed' }])
    started.stop()
    await started.done
    await advance(10)
    expect(sent).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('is refused whole when a part of it is malformed', () => {
    const good = { at: noon - 1, symbol: 'A', phase: 'closed' } as const
    for (const [bad, message] of [
      [{ ...good, at: Number.NaN }, 'at is NaN'],
      [{ ...good, at: '12:00' }, 'at is'],
      [{ ...good, symbol: 'C' }, 'no C'],
      [{ ...good, phase: 'open' }, 'no open'],
      [undefined, 'at is undefined'],
    ] as const) {
      expect(() => schedule([good, bad as ScheduledPhase])).toThrow(message)
    }
    expect(() => schedule('now' as never)).toThrow('array of phases')
  })
})
