import { flagsOf, readU64 } from './command-layout.js'
import { commandOrder, newOrderQuantity, newOrderTimeInForce, newOrderType } from './command-reader.js'
import { OrderEventFields, TradeFields } from './event-fields.js'
import { EVENT_HAS_ORDER_ID, REPEATED_STATUS, reasonOf } from './event-layout.js'
import {
  commandKinds,
  eventKinds,
  type OutcomeStatus,
  outcomeStatusNames,
  type RejectCode,
  rejectCodeNames,
  timeInForceCodes,
} from './names.js'
import { isConditional } from './order-types.js'

/** What became of a command's own order. */
export interface Outcome {
  /** What became of the command. */
  status: OutcomeStatus
  /** Why it was refused; undefined where it was not. */
  code: RejectCode | undefined
  /** Lots that traded in this command; -1 where the command names no order. */
  filled: number
  /** Lots of the order that are open after it; -1 where the record does not say. */
  remaining: number
  /** For a repeated request: the LSN of its first execution. */
  firstLsn: number | undefined
}

/** An outcome to be filled again and again by `outcomeOf`. */
export function emptyOutcome(): Outcome {
  return { status: 'done', code: undefined, filled: -1, remaining: -1, firstLsn: undefined }
}

/** Read again for every event. */
const fields = new OrderEventFields()
const trade = new TradeFields()
const OTHER = EVENT_HAS_ORDER_ID << 8

/**
 * Reads the outcome off the record that spans the words `from` to `to`, into `outcome` where one is given. A caller that
 * reads one for every command passes the same object each time, so that nothing is allocated.
 */
export function outcomeOf(
  words: Int32Array,
  from: number,
  to: number,
  outcome: Outcome = emptyOutcome(),
): Outcome {
  const orderId = commandOrder(words, from) ?? 0
  const isNew = (words[from]! & 0xff) === commandKinds.new
  outcome.status = isNew ? newOrderStatus(words, from) : 'done'
  outcome.code = undefined
  outcome.filled = orderId === 0 ? -1 : 0
  outcome.remaining = isNew ? newOrderQuantity(words, from) : -1
  outcome.firstLsn = undefined
  for (let at = from + (words[from]! >>> 18); at < to; at += words[at]! >>> 18) {
    const kind = words[at]! & 0xff
    if (kind === eventKinds.accepted) continue
    if (kind === eventKinds.trade) noteTrade(outcome, words, at, from, orderId)
    else if (kind === eventKinds.repeated) return noteFirst(outcome, words, at)
    else if (kind === eventKinds.rejected) {
      outcome.status = 'rejected'
      outcome.code = rejectCodeNames[reasonOf(words, at)]
      outcome.remaining = -1
    } else if (orderId === 0 || (words[at]! & OTHER) !== 0) continue
    else if (kind === eventKinds.cancelled) {
      outcome.status = 'cancelled'
      outcome.remaining = 0
    } else if (kind === eventKinds.replaced) {
      fields.read(words, at, from)
      if (!isNew) outcome.status = 'replaced'
      outcome.remaining = fields.quantity
    } else if (kind === eventKinds.triggered) {
      outcome.status = 'resting'
    }
  }
  return outcome
}

/** What a new order is before anything happened to it. */
function newOrderStatus(words: Int32Array, from: number): OutcomeStatus {
  const isLater = newOrderTimeInForce(words, from) === timeInForceCodes['at-close']
  return isLater || isConditional(newOrderType(words, from)) ? 'waiting' : 'resting'
}

function noteTrade(outcome: Outcome, words: Int32Array, at: number, from: number, orderId: number): void {
  trade.read(words, at, from)
  const isTaker = trade.takerOrderId === orderId
  if (!isTaker && trade.makerOrderId !== orderId) return
  outcome.filled += trade.quantity
  outcome.remaining = isTaker ? trade.takerRemaining : trade.makerRemaining
  outcome.status = outcome.remaining === 0 ? 'filled' : 'partially-filled'
}

/** The outcome of a repeated request is that of its first execution. */
function noteFirst(outcome: Outcome, words: Int32Array, at: number): Outcome {
  outcome.status = outcomeStatusNames[flagsOf(words, at) & REPEATED_STATUS]!
  outcome.code = rejectCodeNames[reasonOf(words, at)]
  outcome.filled = readU64(words, at + 2) - 1
  outcome.remaining = readU64(words, at + 4) - 1
  outcome.firstLsn = readU64(words, at + 6)
  return outcome
}
