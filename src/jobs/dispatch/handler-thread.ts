import { pathToFileURL } from 'node:url'
import type { JobTask, ThreadTask } from './handler.js'

/** Under this symbol a result of Piscina's `move` says what is to be transferred; its value is not copied here. */
const transferable = Symbol.for('Piscina.transferable')

/**
 * Runs one attempt in a worker thread. A module that can't be loaded ends the thread, which fails the attempt with the
 * cause: the next attempt has a new thread, and loads the module anew.
 */
export async function runInThread({ filename, name, task }: ThreadTask): Promise<unknown> {
  let handler: (task: JobTask) => unknown
  try {
    handler = await load(filename, name)
  } catch (error) {
    const cause = new Error(`The handler could not be loaded: ${messageOf(error)}`)
    queueMicrotask(() => {
      throw cause
    })
    return new Promise(() => {})
  }
  let result: unknown
  try {
    result = await handler(task)
  } catch (error) {
    // Piscina takes a rejection with null for success.
    throw error !== null && error !== undefined && isCloneable(error) ? error : new Error(messageOf(error))
  }
  if (isMoved(result) || isCloneable(result)) return result
  throw new Error(
    'The handler returned what cannot be copied to the thread of the queue, such as a function.',
  )
}

async function load(filename: string, name: string): Promise<(task: JobTask) => unknown> {
  const module = await import(filename.startsWith('file:') ? filename : pathToFileURL(filename).href)
  // A CommonJS module is the default export as a whole.
  for (const found of [await module[name], await module.default?.[name]]) {
    if (typeof found === 'function') return found
  }
  throw new Error(`${filename} has no function under the export ${JSON.stringify(name)}.`)
}

function isMoved(result: unknown): boolean {
  return typeof result === 'object' && result !== null && transferable in result
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}

function messageOf(error: unknown): string {
  try {
    return String((error as { message?: unknown } | null)?.message ?? error)
  } catch {
    return 'an error without a text'
  }
}
