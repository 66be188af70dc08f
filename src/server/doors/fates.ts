import { ApiError, errors } from '../dialect/api-error.js'
import type { RequestFate } from '../faults/plan.js'

/** When a client that was refused on purpose may come again. */
const retryMs = 1000

/** What a request is refused with because its fate is to be refused, if it is. */
export function refusalOf(fate: RequestFate | undefined, nowMs: number): ApiError | undefined {
  if (fate?.fault === '503') return errors.busy()
  if (fate?.fault !== '429') return undefined
  const data = { serverTime: nowMs, retryAfter: nowMs + retryMs }
  return new ApiError(-1003, 'Too many requests; this venue says so on purpose.', 429, data, retryMs / 1000)
}

/** Whether a request's connection ends in place of its execution, or in place of its answer. */
export function isCutBefore(fate: RequestFate | undefined): boolean {
  return fate?.fault === 'disconnect' && !fate.isExecuted
}

export function isCutAfter(fate: RequestFate | undefined): boolean {
  return fate?.fault === 'disconnect' && fate.isExecuted
}
