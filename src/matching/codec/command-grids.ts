import type { Grid } from './decimal.js'

/** What encoding a command needs of its instrument. Make one with `commandGrids`, and keep it for the next command. */
export interface CommandGrids {
  /** The instrument's number in the log. */
  readonly instrumentId: number
  /** What one tick is. */
  readonly price: Grid
  /** What one lot is. */
  readonly quantity: Grid
}
