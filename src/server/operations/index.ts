import { accountOperations } from './account.js'
import { generalOperations } from './general.js'
import { listOperations } from './list-queries.js'
import { marketOperations } from './market.js'
import { newListOperations } from './new-list.js'
import type { Operation } from './operation.js'
import { refusedOperations } from './refused.js'
import { requestOperations } from './requests.js'
import { tradingOperations } from './trading.js'

/** Everything that clients can ask for. */
export const operations: readonly Operation[] = [
  ...generalOperations,
  ...marketOperations,
  ...tradingOperations,
  ...requestOperations,
  ...newListOperations,
  ...listOperations,
  ...accountOperations,
  ...refusedOperations,
]
