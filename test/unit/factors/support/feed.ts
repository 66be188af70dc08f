import { FactorEngine } from '#tidemark/factors/engine/engine.js'
import { everyFactor, instruments, tickAt } from './ticks.mjs'

export { everyFactor, instruments, tickAt }

/** The values and the state after the first `count` ticks, without a log. */
export function uninterrupted(count: number): FactorEngine {
  const engine = new FactorEngine()
  for (const instrument of instruments) engine.registerAll(instrument, everyFactor)
  for (let i = 0; i < count; i++) engine.processTick(tickAt(i))
  return engine
}

/** Every bit of an engine's state, as one text to compare. */
export function bitsOf(engine: { save(): ReturnType<FactorEngine['save']> }): string[] {
  return engine
    .save()
    .instruments.map(({ name, cells }) => `${name} ${Buffer.from(cells.buffer).toString('base64')}`)
}
