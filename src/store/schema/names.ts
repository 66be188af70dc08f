import {
  cancelReasonNames,
  eventKinds,
  orderTypeNames,
  pegNames,
  phaseNames,
  rejectCodeNames,
  replaceReasonNames,
  selfTradePreventionNames,
  sideNames,
  timeInForceNames,
} from '../../matching/index.js'

type Names = readonly (string | undefined)[]

/** A number as its name; null for one that has none. */
export function named(column: string, names: Names): string {
  const cases = names.flatMap((name, code) => (name === undefined ? [] : [`WHEN ${code} THEN '${name}'`]))
  return `CASE ${column} ${cases.join(' ')} END`
}

const eventNames: (string | undefined)[] = []
for (const [name, code] of Object.entries(eventKinds)) eventNames[code] = name

export const sideName = (column: string) => named(column, sideNames)
export const orderTypeName = (column: string) => named(column, orderTypeNames)
export const timeInForceName = (column: string) => named(column, timeInForceNames)
export const preventionName = (column: string) => named(column, selfTradePreventionNames)
export const cancelReasonName = (column: string) => named(column, cancelReasonNames)
export const pegName = (column: string) => named(column, pegNames)
export const phaseName = (column: string) => named(column, phaseNames)
export const eventName = (column: string) => named(column, Array.from(eventNames))

/** The reason of an event: each kind has names of its own. */
export function eventReasonName(event: string, reason: string): string {
  const kinds = [
    [eventKinds.cancelled, cancelReasonNames],
    [eventKinds.replaced, replaceReasonNames],
    [eventKinds.rejected, rejectCodeNames],
    [eventKinds.repeated, rejectCodeNames],
  ] as const
  return `CASE ${event} ${kinds.map(([kind, names]) => `WHEN ${kind} THEN ${named(reason, names)}`).join(' ')} END`
}
