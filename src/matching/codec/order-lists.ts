import { clientOrderIdWordsAt, readClientOrderId } from './client-order-id.js'
import { flagsOf, HAS_CLIENT_ORDER_ID, LENGTH_SHIFT, optionalAt } from './command-layout.js'
import { REASON_SHIFT } from './event-layout.js'
import { commandKinds, listTypeCodes } from './names.js'

const NEW = commandKinds.new
const LIST = commandKinds.list

/**
 * A `list` command holds its orders, the legs, as whole new-order records without tag and request id, one after the other, after its own
 * fields, the last of which is the client's own id of the list, if it has one. Legs count from 0.
 */

/** Where the first leg of the list command at a word offset stands. */
export function legsAt(words: Int32Array, at: number): number {
  const next = optionalAt(words, at)
  return hasClientListId(words, at) ? next + clientOrderIdWordsAt(words, next) : next
}

function hasClientListId(words: Int32Array, at: number): boolean {
  return (flagsOf(words, at) & HAS_CLIENT_ORDER_ID) !== 0
}

/** The client's own id of the list whose command stands at a word offset; `undefined` when it has none. */
export function clientListIdOf(words: Int32Array, at: number): string | undefined {
  return hasClientListId(words, at) ? readClientOrderId(words, optionalAt(words, at)) : undefined
}

/** Where a leg of the list command at a word offset stands; -1 when it has no such leg. */
export function legAt(words: Int32Array, at: number, leg: number): number {
  const end = at + (words[at]! >>> LENGTH_SHIFT)
  let next = legsAt(words, at)
  for (let i = 0; i < leg && next < end; i++) next += Math.max(1, words[next]! >>> LENGTH_SHIFT)
  return next < end && (words[next]! & 0xff) === NEW ? next : -1
}

/** How many legs the list command at a word offset has. */
export function legCount(words: Int32Array, at: number): number {
  return (words[at + 5]! >>> 8) & 0xff
}

/** The code of its type. */
export function listTypeOf(words: Int32Array, at: number): number {
  return words[at + 5]! & 0xff
}

/** Whether the leg that the `accepted` event at `at` is about waits until the working order of its list is filled. */
export function isPendingLeg(words: Int32Array, at: number, from: number): boolean {
  const leg = (words[at]! >>> (8 + REASON_SHIFT)) & 31
  return (words[from]! & 0xff) === LIST && leg > 0 && listTypeOf(words, from) !== listTypeCodes.oco
}

/**
 * Where the new order stands that the `accepted` event at `at` is about, in the record whose command is at `from`; -1 when there is none,
 * as only a damaged log says.
 */
export function acceptedOrderAt(words: Int32Array, at: number, from: number): number {
  const kind = words[from]! & 0xff
  if (kind === NEW) return from
  return kind === LIST ? legAt(words, from, (words[at]! >>> (8 + REASON_SHIFT)) & 31) : -1
}
