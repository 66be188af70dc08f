import { withoutStack } from '../../base/errors.js'
import { unitsText } from '../amounts/amount.js'
import { LedgerError } from '../errors.js'
import type { Asset } from '../types.js'

/** The refusal of what an account can't pay. It has no stack frames: callers that hit it do so in thousands. */
export function insufficientFunds(
  asset: Asset,
  account: number,
  needed: bigint,
  free: bigint,
  more: Record<string, unknown> = {},
): LedgerError {
  const [neededText, freeText, missing] = [needed, free, needed - free].map((units) =>
    unitsText(units, asset.scale),
  )
  return withoutStack(
    () =>
      new LedgerError(
        'TIDEMARK_INSUFFICIENT_FUNDS',
        `Account ${account} needs ${neededText} ${asset.id} and has ${freeText} free: ${missing} are missing.`,
        { account, asset: asset.id, needed: neededText, free: freeText, missing, ...more },
      ),
  )
}
