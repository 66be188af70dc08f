import type { RateLimits } from '../access/limits.js'
import type { Security } from '../access/signature.js'
import type { Params } from '../dialect/params.js'
import type { Venue } from '../venue/venue.js'

/** A request of a client that may be made, with what it may concern. */
export interface ApiRequest {
  readonly params: Params
  readonly venue: Venue
  readonly limits: RateLimits
  readonly nowMs: number
  /** Whose key it was made with; -1 where none is needed. */
  readonly account: number
  /** Whether its key may trade. */
  readonly mayTrade: boolean
}

/** Something that clients can ask for, over REST and over the WebSocket API alike. */
export interface Operation {
  /** Its name over the WebSocket API; without one it is for REST only. */
  readonly method?: string
  /** Its verb and path below `/api/v3`; without one it is for the WebSocket API only. */
  readonly rest?: readonly [verb: string, path: string]
  readonly security: Security
  /** What it counts for among the weights of its address. */
  readonly weight: number | ((params: Params) => number)
  /** New orders of its account that it counts as. */
  readonly orders?: number
  readonly params: ReadonlySet<string>
  readonly run: (request: ApiRequest) => unknown
}

export function names(...list: string[]): ReadonlySet<string> {
  return new Set(list)
}
