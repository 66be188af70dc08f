import type { Ledger } from '../../ledger/index.js'

/** What an account has of an asset; decimal strings. */
export interface Balance {
  /** The asset. */
  readonly asset: string
  /** What can be used, a decimal string. */
  readonly free: string
  /** What open orders hold, a decimal string. */
  readonly locked: string
}

/** Where balances come from. A venue without it has none to show, and lets every account trade without them. */
export interface Balances {
  /** Those of an account that are durable, by asset. */
  of(account: number): readonly Balance[]
}
/** The balances that a ledger keeps. */
export function balancesOf(ledger: Ledger): Balances {
  return {
    of: (account) =>
      ledger.balances(account).balances.map(({ asset, free, held }) => ({ asset, free, locked: held })),
  }
}
