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
  /** What the account may go below zero for it. */
  credit: bigint,
  more: Record<string, unknown> = {},
): LedgerError {
  const [neededText, freeText, creditText, missing] = [needed, free, credit, needed - free - credit].map(
    (units) => unitsText(units, asset.scale),
  )
  const has = credit === 0n ? `${freeText} free` : `${freeText} free and a credit of ${creditText}`
  return withoutStack(
    () =>
      new LedgerError(
        'TIDEMARK_INSUFFICIENT_FUNDS',
        `Account ${account} needs ${neededText} ${asset.id} and has ${has}: ${missing} are missing.`,
        {
          account,
          asset: asset.id,
          needed: neededText,
          free: freeText,
          missing,
          ...(credit !== 0n && { credit: creditText }),
          ...more,
        },
      ),
  )
}
