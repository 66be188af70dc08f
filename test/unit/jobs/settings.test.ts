import { describe, expect, it } from 'vitest'
import { resolveControllerSettings } from '#tidemark/jobs/controller-settings.js'
import { createRunner } from '#tidemark/jobs/dispatch/handler.js'
import type { JobControllerOptions, JobHandler, JobSpec } from '#tidemark/jobs/index.js'
import { enqueueDetailJson, toPlainJob } from '#tidemark/jobs/job.js'
import { failureOf } from './support/folders.js'

const defaults = { timeoutMs: 1000, maxAttempts: 3 }

describe('a job as it is given', () => {
  it('gets an id and defaults for what it leaves open', () => {
    expect(toPlainJob({}, defaults)).toMatchObject({ payloadJson: 'null', priority: 0, ...defaults })
    expect(toPlainJob({}, defaults).id).not.toBe(toPlainJob({}, defaults).id)
    const whole = { id: 'a', payload: [1], priority: -3, timeoutMs: 5, maxAttempts: 1 }
    expect(toPlainJob(whole, defaults)).toEqual({
      id: 'a',
      payloadJson: '[1]',
      priority: -3,
      timeoutMs: 5,
      maxAttempts: 1,
    })
  })

  it('is logged as the text that JSON writes for what it reads', () => {
    const plain = toPlainJob({ id: 'a', payload: { b: [1, 'ä', null], 2: -0 } }, defaults)
    expect(JSON.stringify(JSON.parse(enqueueDetailJson(plain)))).toBe(enqueueDetailJson(plain))
  })

  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  it.each<[string, JobSpec]>([
    ['nothing', undefined as unknown as JobSpec],
    ['an empty id', { id: '' }],
    ['a long id', { id: 'x'.repeat(257) }],
    ['an id that is no text', { id: 1 as unknown as string }],
    ['half a priority', { priority: 0.5 }],
    ['no time', { timeoutMs: 0 }],
    ['more time than a timer takes', { timeoutMs: 2 ** 31 }],
    ['no attempts', { maxAttempts: 0 }],
    ['a payload that JSON cannot hold', { payload: 1n }],
    ['a payload within itself', { payload: cyclic }],
    ['a payload that JSON leaves out', { payload: () => {} }],
  ])('is refused with %s', async (_what, spec) => {
    expect(await failureOf(() => toPlainJob(spec, defaults))).toBe('TIDEMARK_JOB_BAD_SPEC')
  })
})

describe('the settings of a controller', () => {
  it('have defaults', () => {
    const settings = resolveControllerSettings({ dir: 'x' })
    expect(settings).toMatchObject({ concurrency: 16, timeoutMs: 30_000, maxAttempts: 3, keepHistory: false })
    expect([1, 2, 3, 10].map((attempt) => settings.backoff(attempt, undefined))).toEqual([
      1000, 2000, 4000, 60_000,
    ])
    expect(settings.keepFinished).toEqual({ count: 10_000, ageMs: Number.POSITIVE_INFINITY })
  })

  it('take a backoff of the caller', () => {
    const backoff = (attempt: number) => attempt * 7
    expect(resolveControllerSettings({ dir: 'x', backoff }).backoff(2, undefined)).toBe(14)
    const linear = resolveControllerSettings({ dir: 'x', backoff: { baseMs: 5, factor: 1 } })
    expect(linear.backoff(9, undefined)).toBe(5)
  })

  it.each<Partial<JobControllerOptions>>([
    { dir: '' },
    { concurrency: 0 },
    { timeoutMs: 0 },
    { maxAttempts: 1.5 },
    { snapshotEveryEvents: 0 },
    { interruptionsMax: -1 },
    { worker: 'x'.repeat(257) },
    { backoff: { baseMs: -1 } },
    { backoff: 5 as never },
    { backoff: null as never },
    { backoff: { maxMs: Number.NaN } },
    { backoff: { factor: 0.5 } },
    { keepFinished: { count: -1 } },
    { keepFinished: { ageMs: -1 } },
  ])('are refused with %o', async (options) => {
    expect(await failureOf(() => resolveControllerSettings({ dir: 'x', ...options }))).toBe(
      'TIDEMARK_BAD_SETTING',
    )
  })
})

describe('a handler', () => {
  it.each([undefined, {}, { filename: 1 }, { filename: 'x', threads: 0 }])(
    'that is %o is refused',
    async (handler) => {
      expect(await failureOf(() => createRunner(handler as JobHandler, 4))).toBe('TIDEMARK_JOB_BAD_HANDLER')
    },
  )
})
