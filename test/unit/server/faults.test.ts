import { describe, expect, it } from 'vitest'
import { DelayLine, Delays } from '#tidemark/server/faults/delays.js'
import { FaultInjector } from '#tidemark/server/faults/injector.js'
import { FaultPlan } from '#tidemark/server/faults/plan.js'
import { type Misbehaviour, resolveMisbehaviour } from '#tidemark/server/faults/settings.js'

const planOf = (misbehaviour: Misbehaviour) => new FaultPlan(resolveMisbehaviour(misbehaviour))

describe('what goes wrong on purpose', () => {
  it('comes as often as it is to', () => {
    const rates = { lost: 0.1, late: 0.2, disconnect: 0.05, 429: 0.15, 503: 0.25, gap: 0.3 }
    const plan = planOf({ faults: rates, lateMs: 70 })
    const counts = new Map<string, number>()
    const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1 / 20_000)
    for (let i = 0; i < 20_000; i++) {
      const { fault = 'none', afterMs, isExecuted } = plan.request('1')
      if (afterMs !== (fault === 'late' ? 70 : 0)) count('wrong delay')
      count(fault === 'disconnect' ? `disconnect ${isExecuted}` : fault)
      const message = plan.message('1').fault
      if (message === 'gap') count('gap')
    }
    for (const [name, rate] of Object.entries({ ...rates, none: 0.25 }))
      if (name !== 'disconnect') expect(counts.get(name), name).toBeCloseTo(rate, 1.5)
    expect(counts.has('wrong delay')).toBe(false)
    expect(counts.get('disconnect true')).toBeCloseTo(0.025, 2)
    expect(counts.get('disconnect false')).toBeCloseTo(0.025, 2)
  })

  it('takes as long as its percentiles say', () => {
    const plan = planOf({ latency: 'p99=80, p50=5,p99.9=200' })
    const delays = Array.from({ length: 50_000 }, () => plan.message('x').delayMs).sort((a, b) => a - b)
    const at = (percent: number) => delays[Math.floor((percent / 100) * delays.length)]!
    expect(at(25)).toBeCloseTo(2.5, 0)
    expect(at(50)).toBeCloseTo(5, 0)
    expect(Math.abs(at(74.5) - 42.5)).toBeLessThan(2)
    expect(Math.abs(at(99) - 80)).toBeLessThan(10)
    expect(at(99.99)).toBe(200)
    const { beforeMs, afterMs } = planOf({ latency: { p0: 10 } }).request('1')
    expect([beforeMs, afterMs]).toEqual([5, 5])
    expect(planOf({}).message('1')).toEqual({ fault: undefined, delayMs: 0 })
  })

  it('is the same with the same seed, whatever happens to others in between', () => {
    const settings = { faults: 'lost=0.3,disconnect=0.2,gap=0.4', latency: 'p50=5,p99=80' }
    const fates = (seed: number, others: number) => {
      const plan = planOf({ ...settings, seed })
      return Array.from({ length: 50 }, (_, i) => {
        for (let n = 0; n < (i * others) % 7; n++) plan.request('2')
        return [plan.request('1'), plan.message('1')]
      })
    }
    expect(fates(7, 3)).toEqual(fates(7, 0))
    expect(fates(8, 0)).not.toEqual(fates(7, 0))
    const plan = planOf(settings)
    const second = (name: string) => Array.from({ length: 20 }, () => plan.request(name).fault)
    expect(second('1')).not.toEqual(second('2'))
  })

  it('is over at once when a server closes, in its order, however much waits', () => {
    const delays = new Delays()
    const line = new DelayLine(delays)
    const taken: number[] = []
    for (let i = 0; i < 30_000; i++) line.put(3_600_000 + i, () => taken.push(i))
    delays.end()
    expect(taken).toEqual(Array.from({ length: 30_000 }, (_, i) => i))
    line.put(3_600_000, () => taken.push(-1))
    expect([taken.at(-1), line.isEmpty]).toEqual([-1, true])
  })

  it('befalls no account that the options of a server named, unless others are named later', () => {
    const faults = new FaultInjector({ sparedAccounts: [7] })
    expect(faults.settings).toBeUndefined()
    faults.set({ faults: 'lost=1' })
    expect([faults.request(7), faults.request(8)?.fault]).toEqual([undefined, 'lost'])
    faults.set({ faults: 'lost=1', sparedAccounts: [8] })
    expect([faults.request(7)?.fault, faults.request(8)]).toEqual(['lost', undefined])
    faults.set()
    expect([faults.settings, faults.request(7)]).toEqual([undefined, undefined])
  })

  it('refuses what it can not do', () => {
    const wrong: [Misbehaviour | unknown, RegExp][] = [
      [null, /must be an object/],
      [{ latncy: 'p50=1' }, /Did you mean latency/],
      [{ latency: 'p50' }, /such as p50=5/],
      [{ latency: 'p50=-1' }, /such as p50=5/],
      [{ latency: 'x=1' }, /percentiles/],
      [{ latency: 'p101=1' }, /percentiles/],
      [{ latency: 'p50=5,p50=6' }, /twice/],
      [{ latency: { p50: 5, 'p50.0': 6 } }, /once/],
      [{ latency: 'p50=5,p99=4' }, /at least p50/],
      [{ latency: { p50: 1e9 } }, /from 0 to/],
      [{ latency: { p50: '5' } }, /a number/],
      [{ latency: 5 }, /such as p50=5/],
      [{ faults: 'loss=0.1' }, /made of lost/],
      [{ faults: 'lost=1.1' }, /a rate/],
      [{ faults: 'lost=0.6,503=0.5' }, /together/],
      [{ faults: 'gap=0.6,disconnect=0.5' }, /together/],
      [{ faults: { lost: Number.NaN } }, /a rate/],
      [{ seed: -1 }, /whole number/],
      [{ lateMs: 0.5 }, /whole number/],
      [{ sparedAccounts: ['1'] }, /list of accounts/],
    ]
    for (const [misbehaviour, message] of wrong) {
      const call = () => resolveMisbehaviour(misbehaviour as Misbehaviour)
      expect(call, JSON.stringify(misbehaviour)).toThrow(message)
      expect(call).toThrow(expect.objectContaining({ code: 'TIDEMARK_SERVER_FAULTS' }))
    }
    expect(resolveMisbehaviour({ faults: '429=1', latency: 'p100=3' }).rates['429']).toBe(1)
  })
})
