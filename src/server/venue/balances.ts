/** What an account has of an asset; decimal strings. */
export interface Balance {
  readonly asset: string
  readonly free: string
  readonly locked: string
}

/** Where balances come from. A venue without it has none to show, and lets every account trade without them. */
export interface Balances {
  /** Those of an account that are durable, by asset. */
  of(account: number): readonly Balance[]
}
