import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Emitter } from '#tidemark/base/emitter.js'
import { collectUncaught } from '../../support/uncaught.js'

/** Resolves after every microtask that stands in the queue now, and after those that they add. */
const microtasks = () => new Promise((resolve) => setImmediate(resolve))

describe('a listener that throws', () => {
  it('stops neither the emitter nor the other listeners, and is an uncaught exception of its own', async () => {
    const uncaught = collectUncaught()
    const emitter = new Emitter<{ moved: [number] }>()
    const first = new Error('a bug in the application')
    const calls: unknown[] = []
    emitter.on('moved', () => {
      throw first
    })
    emitter.once('moved', function (this: unknown, to: number) {
      calls.push(['once', to, this === emitter])
      throw undefined
    })
    emitter.on('moved', (to) => calls.push(['on', to]))
    expect(emitter.emit('moved', 7)).toBe(true)
    expect(uncaught).toEqual([])
    await microtasks()
    expect(emitter.emit('moved', 8)).toBe(true)
    await microtasks()
    expect(calls).toEqual([
      ['once', 7, true],
      ['on', 7],
      ['on', 8],
    ])
    expect(uncaught).toEqual([first, undefined, first])
    expect(uncaught[0]).toBe(first)
  })

  it('of the event error is no different, and an error without a listener is not thrown', async () => {
    const uncaught = collectUncaught()
    const emitter = new Emitter<{ error: [Error] }>()
    const monitored: Error[] = []
    expect(emitter.emit('error', new Error('the log failed'))).toBe(false)
    const plain = emitter as EventEmitter
    plain.on(EventEmitter.errorMonitor, (error: Error) => monitored.push(error))
    emitter.on('error', (error) => {
      throw error
    })
    const failure = new Error('the log failed again')
    expect(emitter.emit('error', failure)).toBe(true)
    await microtasks()
    expect(monitored).toEqual([failure])
    expect(uncaught).toEqual([failure])
  })
})
