import { EventEmitter } from 'node:events'

/**
 * Calls a function of the application's. What it throws is thrown again in a microtask of its own, with its own stack:
 * the process gets it as an uncaught exception, and the code that called is not interrupted.
 */
export function callUser(call: () => unknown): void {
  try {
    call()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

class CallingEmitter extends EventEmitter {
  override emit(name: string | symbol, ...args: unknown[]): boolean {
    if (name === 'error') this.#call(this.rawListeners(EventEmitter.errorMonitor), args)
    return this.#call(this.rawListeners(name), args)
  }

  // biome-ignore lint/complexity/noBannedTypes: the type that EventEmitter gives.
  #call(listeners: readonly Function[], args: readonly unknown[]): boolean {
    for (const listener of listeners) callUser(() => listener.apply(this, args))
    return listeners.length > 0
  }
}

/**
 * An event emitter whose listeners are called by `callUser`: one that throws changes nothing for the code that emits,
 * and the listeners after it are called all the same. `error` without a listener is not thrown.
 */
export const Emitter = CallingEmitter as typeof EventEmitter
