import type { Grid } from './decimal.js'

/** What encoding a command needs of its instrument. Make one with `commandGrids`, and keep it for the next command. */
export interface CommandGrids {
  readonly instrumentId: number
  readonly price: Grid
  readonly quantity: Grid
}
