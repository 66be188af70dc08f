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
