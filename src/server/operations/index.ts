import { accountOperations } from './account.js'
import { generalOperations } from './general.js'
import { marketOperations } from './market.js'
import type { Operation } from './operation.js'
import { requestOperations } from './requests.js'
import { refusedOperations, tradingOperations } from './trading.js'

/** Everything that clients can ask for. */
export const operations: readonly Operation[] = [
  ...generalOperations,
  ...marketOperations,
  ...tradingOperations,
  ...requestOperations,
  ...accountOperations,
  ...refusedOperations,
]
