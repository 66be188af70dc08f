import type { Tick } from '#tidemark/factors/ticks.js'

export const everyFactor: Readonly<Record<string, string>>
export const instruments: readonly string[]
export function tickAt(i: number): Tick
