import type { DecodedCommand } from './command-reader.js'
import { decodeCommand } from './command-reader.js'
import { EventCursor } from './event-reader.js'
import {
  eventKinds,
  type OutcomeStatus,
  outcomeStatusNames,
  type RejectCode,
  rejectCodeNames,
} from './names.js'

/** What became of a command's own order. */
export interface Outcome {
  status: OutcomeStatus
  code: RejectCode | undefined
  /** Lots that traded in this command; -1 where the command names no order. */
  filled: number
  /** Lots of the order that are open after it; -1 where the group does not tell. */
  remaining: number
  /** For a repeated request: the LSN of its first execution. */
  firstLsn: number | undefined
}

const cursor = new EventCursor()

/** Reads the outcome off the group that spans the words `from` to `to`. */
export function outcomeOf(words: Int32Array, from: number, to: number): Outcome {
  const command = decodeCommand(words, from)!
  const orderId = 'orderId' in command ? command.orderId : 0
  const outcome = beforeEvents(command, orderId)
  cursor.reset(words, from, to)
  for (let kind = cursor.next(); kind !== 0; kind = cursor.next()) {
    if (kind === eventKinds.trade) noteTrade(outcome, orderId)
    else if (kind === eventKinds.repeated) return repeatedOutcome()
    else if (cursor.orderId !== orderId) continue
    else if (kind === eventKinds.rejected) {
      outcome.status = 'rejected'
      outcome.code = rejectCodeNames[cursor.reason]
      outcome.remaining = -1
    } else if (kind === eventKinds.cancelled) {
      outcome.status = 'cancelled'
      outcome.remaining = 0
    } else if (kind === eventKinds.replaced) {
      if (command.type !== 'new') outcome.status = 'replaced'
      outcome.remaining = cursor.quantity
    } else if (kind === eventKinds.triggered) {
      outcome.status = 'resting'
    }
  }
  return outcome
}

function beforeEvents(command: DecodedCommand, orderId: number): Outcome {
  const outcome: Outcome = {
    status: 'done',
    code: undefined,
    filled: orderId === 0 ? -1 : 0,
    remaining: -1,
    firstLsn: undefined,
  }
  if (command.type === 'new') {
    outcome.status =
      command.orderType === 'stop' || command.orderType === 'stop-limit' ? 'waiting' : 'resting'
    outcome.remaining = command.quantity
  }
  return outcome
}

function noteTrade(outcome: Outcome, orderId: number): void {
  const isTaker = cursor.takerOrderId === orderId
  if (!isTaker && cursor.makerOrderId !== orderId) return
  outcome.filled += cursor.tradeQuantity
  outcome.remaining = isTaker ? cursor.takerRemaining : cursor.makerRemaining
  outcome.status = outcome.remaining === 0 ? 'filled' : 'partially-filled'
}

function repeatedOutcome(): Outcome {
  return {
    status: outcomeStatusNames[cursor.firstStatus]!,
    code: rejectCodeNames[cursor.reason],
    filled: cursor.firstFilled,
    remaining: cursor.firstRemaining,
    firstLsn: cursor.firstLsn,
  }
}
