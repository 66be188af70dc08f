import { ApiError, errors } from '../dialect/api-error.js'
import type { Operation } from './operation.js'

/** Whatever a refused request sends is not looked at. */
const everything = { has: () => true } as unknown as ReadonlySet<string>

/** What of the dialect uses its order routing, or pays one order with what another one bought. */
const refused: readonly (readonly [path: string, method: string, message: string])[] = [
  ['/orderList/opo', 'orderList.place.opo', 'OPO orders are not supported for this symbol'],
  ['/orderList/opoco', 'orderList.place.opoco', 'OPO orders are not supported for this symbol'],
  ['/sor/order', 'sor.order.place', 'SOR orders are not supported for this symbol'],
  ['/sor/order/test', 'sor.order.test', 'SOR orders are not supported for this symbol'],
]

/** What of the dialect says how its venue came to prices; this one has rules of its own. */
const untold: readonly (readonly [path: string, method: string])[] = [
  ['/executionRules', 'executionRules'],
  ['/referencePrice', 'referencePrice'],
  ['/referencePrice/calculation', 'referencePrice.calculation'],
]

export const refusedOperations: readonly Operation[] = [
  ...refused.map(
    ([path, method, message]): Operation => ({
      method,
      rest: ['POST', path],
      security: 'trade',
      weight: 1,
      params: everything,
      run: () => {
        throw new ApiError(-1013, message)
      },
    }),
  ),
  ...untold.map(
    ([path, method]): Operation => ({
      method,
      rest: ['GET', path],
      security: 'none',
      weight: 2,
      params: everything,
      run: () => {
        throw errors.unsupported(`there is no ${method}`)
      },
    }),
  ),
]
