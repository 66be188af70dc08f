import type { CommandBatch } from '#tidemark/pool/index.js'

/** A batch that writes down what is added, in place of a pool's. */
export class RecordedBatch {
  readonly calls: (readonly [string, ...unknown[]])[] = []
  length = 0

  addNew(...args: unknown[]): void {
    this.#note('new', args)
  }
  addCancel(...args: unknown[]): void {
    this.#note('cancel', args)
  }
  addReplace(...args: unknown[]): void {
    this.#note('replace', args)
  }
  addReduce(...args: unknown[]): void {
    this.#note('reduce', args)
  }
  add(command: unknown): void {
    this.#note('add', [command])
  }
  clear(): void {
    this.length = 0
  }

  get asBatch(): CommandBatch {
    return this as unknown as CommandBatch
  }

  #note(name: string, args: readonly unknown[]): void {
    this.calls.push([name, ...args])
    this.length++
  }
}

/** A target with instruments numbered as they come, which notes what is submitted by itself. */
export function recordedTarget(symbols: readonly string[], submitted: unknown[] = []) {
  return {
    instrument: (symbol: string) => ({ id: symbols.indexOf(symbol) }) as never,
    submit: async (command: unknown) => {
      submitted.push(command)
    },
  }
}
