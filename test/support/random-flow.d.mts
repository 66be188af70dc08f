import type { Command, ExecutionReport, InstrumentOptions } from '#tidemark/pool/index.js'
import type { Acknowledgement } from './acknowledged.js'

export const symbols: string[]
export const instruments: InstrumentOptions[]

export class RandomFlow {
  constructor(seed: number, firstOrder: number)
  int(below: number): number
  next(): Command & { symbol: string; tag: number }
}

export function acknowledgement(
  command: { symbol: string; tag: number },
  report: ExecutionReport,
): Acknowledgement
