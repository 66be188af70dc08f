import type { Command, InstrumentOptions } from '#tidemark/index.js'

export const symbols: readonly string[]
export const instruments: readonly InstrumentOptions[]

export class StoreFlow {
  constructor(seed: number)
  int(below: number): number
  next(): Command
}
