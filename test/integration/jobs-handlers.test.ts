import * as fs from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { BackoffFunction, JobController } from '#tidemark/jobs/index.js'
import { temporaryDirectory } from '../support/temporary.js'
import { collectUncaught } from '../support/uncaught.js'
import { newQueue } from '../unit/jobs/support/queues.js'

function handlerFile(text: string, name = 'handler.mjs'): string {
  const file = path.join(temporaryDirectory(), name)
  fs.writeFileSync(file, text)
  return file
}

/** What the next event of a name says; `once` of Node would reject at an event `error`. */
function next(queue: JobController, name: 'completed' | 'retried'): Promise<unknown> {
  return new Promise((resolve) => queue.once(name, resolve))
}

/** The errors of each failed attempt, in order. */
function failuresOf(queue: JobController): string[] {
  const failures: string[] = []
  queue.on('retried', ({ error }) => failures.push((error as Error).message))
  queue.on('dead', ({ error }) => failures.push((error as Error).message))
  queue.on('timedOut', () => failures.push('timed out'))
  return failures
}

describe('a thread handler', () => {
  it('that cannot be loaded fails each attempt with the cause', async () => {
    const filename = handlerFile(`throw new Error('no such table: users')`)
    const queue = await newQueue({ concurrency: 2 })
    const failures = failuresOf(queue)
    queue.start({ filename, threads: 2 })
    await queue.enqueueMany(['a', 'b', 'c'].map((id) => ({ id, maxAttempts: 3, timeoutMs: 60_000 })))
    await queue.drained()
    await queue.log.waitDurable(queue.log.tailLsn)
    const expected = 'The handler could not be loaded: no such table: users'
    expect(failures).toEqual(Array.from({ length: 9 }, () => expected))
    expect(await queue.get('a')).toMatchObject({ state: 'dead', reason: 'failed', error: expected })
  })

  it('that can be loaded after a while is loaded then', async () => {
    const ready = path.join(temporaryDirectory(), 'ready')
    const filename = handlerFile(`import { existsSync } from 'node:fs'
      if (!existsSync(${JSON.stringify(ready)})) throw new Error('not yet')
      export default () => 'done'`)
    const queue = await newQueue()
    queue.once('retried', () => fs.writeFileSync(ready, ''))
    queue.start({ filename, threads: 1 })
    await queue.enqueue({ id: 'a', maxAttempts: 1000, timeoutMs: 60_000 })
    await queue.drained()
    expect(await queue.get('a')).toMatchObject({ state: 'completed' })
  })

  it('without the named export says so', async () => {
    const queue = await newQueue()
    queue.start({ filename: handlerFile('export const other = 1'), name: 'run', threads: 1 })
    await queue.enqueue({ id: 'a', maxAttempts: 1, timeoutMs: 60_000 })
    await queue.drained()
    expect((await queue.get('a'))!.error).toContain('has no function under the export "run"')
  })

  it.each([
    ['export default () => ({ later() {} })', 'The handler returned what cannot be copied'],
    ['export default () => { throw { code: 7, message: "plain", later() {} } }', 'plain'],
    [
      'export default () => { throw Object.assign(new Error("with a function"), { later() {} }) }',
      'with a function',
    ],
    ['export default () => { throw null }', 'null'],
    ['export default () => Promise.reject()', 'undefined'],
  ])('fails with a text that can be read: %s', async (text, expected) => {
    const queue = await newQueue()
    queue.start({ filename: handlerFile(text), threads: 1 })
    await queue.enqueue({ id: 'a', maxAttempts: 2, timeoutMs: 60_000 })
    await queue.drained()
    const job = (await queue.get('a'))!
    expect(job).toMatchObject({ state: 'dead', attempts: 2 })
    expect(job.error).toContain(expected)
  })

  it('may be a CommonJS module', async () => {
    const queue = await newQueue()
    const completed = next(queue, 'completed')
    const filename = handlerFile('exports.run = async ({ id }) => id + id', 'handler.cjs')
    queue.start({ filename, name: 'run', threads: 1 })
    await queue.enqueue({ id: 'a', timeoutMs: 60_000 })
    expect(await completed).toMatchObject({ id: 'a', result: 'aa' })
  })
})

describe('a backoff', () => {
  const bad: [string, unknown, string][] = [
    ['NaN', () => Number.NaN, 'gave NaN'],
    ['infinite', () => Number.POSITIVE_INFINITY, 'gave Infinity'],
    ['negative', () => -1, 'gave -1'],
    ['too large', () => 1e15, 'gave 1000000000000000'],
    ['a text', () => '5', 'gave a value of type string'],
    ['nothing', () => undefined, 'gave a value of type undefined'],
    ['a promise', async () => 5, 'gave a promise'],
    ['a promise that rejects', () => Promise.reject(new Error('bug')), 'gave a promise'],
    [
      'an error',
      () => {
        throw new Error('bug')
      },
      'threw: bug',
    ],
  ]
  it.each(bad)('that gives %s is reported, and the default delay is used', async (_what, backoff, words) => {
    const uncaught = collectUncaught()
    const queue = await newQueue({ backoff: backoff as BackoffFunction })
    const errors: unknown[] = []
    queue.on('error', (error) => errors.push(error))
    const retried = next(queue, 'retried')
    queue.start(() => {
      throw new Error('again')
    })
    await queue.enqueue({ id: 'a' })
    expect(await retried).toMatchObject({ id: 'a', delayMs: 1000 })
    expect(errors).toMatchObject([
      { code: 'TIDEMARK_JOB_BAD_BACKOFF', details: { jobId: 'a', attempt: 1, delayMs: 1000 } },
    ])
    expect((errors[0] as Error).message).toContain(words)
    expect(queue.metrics().backoffFailures).toBe(1)
    expect(await queue.get('a')).toMatchObject({ state: 'pending', attempts: 1 })
    expect(uncaught).toEqual([])
  })

  it('that is wrong is a warning of the process when it has no listener', async () => {
    const warnings: Error[] = []
    const heard = (warning: Error) => warnings.push(warning)
    process.on('warning', heard)
    onTestFinished(() => void process.off('warning', heard))
    const queue = await newQueue({ backoff: () => Number.NaN })
    const retried = next(queue, 'retried')
    queue.start(() => {
      throw new Error('again')
    })
    await queue.enqueue({ id: 'a' })
    await retried
    expect(warnings).toMatchObject([{ code: 'TIDEMARK_JOB_BAD_BACKOFF' }])
  })
})

describe('a listener that throws', () => {
  it('keeps neither the other listeners from being called nor waiting promises from settling', async () => {
    const uncaught = collectUncaught()
    const queue = await newQueue({ backoff: () => 1 })
    const heard: string[] = []
    for (const name of ['enqueued', 'dispatched', 'retried', 'completed', 'drained', 'checkpoint'] as const) {
      queue.on(name, () => {
        throw new Error(name)
      })
      queue.on(name, () => heard.push(name))
    }
    queue.start(({ attempt }) => {
      if (attempt === 1) throw new Error('again')
    })
    await queue.enqueue({ id: 'a' })
    await queue.drained()
    await queue.checkpoint()
    await new Promise((resolve) => setImmediate(resolve))
    const all = ['enqueued', 'dispatched', 'retried', 'dispatched', 'completed', 'drained', 'checkpoint']
    expect(heard).toEqual(all)
    expect(uncaught.map((error) => (error as Error).message)).toEqual(all)
  })

  it('at the failure of the log keeps no promise from rejecting with that failure', async () => {
    const uncaught = collectUncaught()
    const queue = await newQueue()
    for (const emitter of [queue, queue.log]) {
      emitter.on('error', () => {
        throw new Error('listener')
      })
    }
    await queue.enqueue({ id: 'a' })
    const drained = queue.drained()
    queue.log.poison(new Error('EIO'))
    await expect(drained).rejects.toMatchObject({ code: 'TIDEMARK_JOB_SYNC_FAILED' })
    await new Promise((resolve) => setImmediate(resolve))
    expect(uncaught.length).toBe(2)
    expect((await queue.status()).state).toBe('failed')
  })
})
