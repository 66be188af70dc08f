import { fields } from '../ticks.js'

/**
 * Which ticks move a part: for each combination of fields that a tick can have, as bits, 1 when the part moves. A number
 * has none: it never moves, and keeps nothing from moving.
 */
export type Movement = Uint8Array

const combinations = 1 << fields.length

/** A field moves with each tick that has it. */
export function movementOf(field: number): Movement {
  return Uint8Array.from({ length: combinations }, (_, mask) => (mask >> field) & 1)
}

/** Arithmetic and operators of one series move when any of their inputs does. */
export function movedByAny(inputs: readonly (Movement | undefined)[]): Movement | undefined {
  return combine(inputs, Math.max)
}

/** An operator of several series takes them together: a field that a tick leaves out would enter a second time. */
export function movedByAll(inputs: readonly (Movement | undefined)[]): Movement | undefined {
  return combine(inputs, Math.min)
}

function combine(
  inputs: readonly (Movement | undefined)[],
  join: (a: number, b: number) => number,
): Movement | undefined {
  const moving = inputs.filter((input) => input !== undefined)
  return moving.length === 0
    ? undefined
    : moving.reduce((all, input) => all.map((moves, mask) => join(moves, input[mask]!)))
}
