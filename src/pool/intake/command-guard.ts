import { commandKinds } from '../../matching/index.js'
import { PoolError } from '../errors.js'
import type { ShardCommands } from './command-batch.js'

/**
 * Looks at every command after it was checked and encoded, and before its shard gets it. A command that it admits is handed over for
 * sure, and one that it refuses never is.
 */
export interface CommandGuard {
  /** The command at `at` in `words` is for `shard`. @throws what refuses it; then it has taken nothing. */
  admit(shard: number, words: Int32Array, at: number): void
  /** As `admit`, for all of a batch or nothing of it: the commands by shard. */
  admitBatch(parts: readonly ShardCommands[]): void
}

/** Lets everything pass: that of a pool without a ledger. */
export const noGuard: CommandGuard = {
  admit() {},
  admitBatch() {},
}

/**
 * Refuses what an open ledger would look at: what could trade, lowers what an order brings, or changes what an instrument is traded in.
 * That of a pool whose folder has a ledger which is not open.
 */
export const closedGuard: CommandGuard = {
  admit(_shard, words, at) {
    if (needsLedger(words, at)) throw ledgerNotOpen()
  },
  admitBatch(parts) {
    for (const { words, used } of parts)
      for (let at = 0; at < used; at += words[at]! >>> 18) if (needsLedger(words, at)) throw ledgerNotOpen()
  },
}

function needsLedger(words: Int32Array, at: number): boolean {
  const kind = words[at]! & 0xff
  return (
    kind === commandKinds.new ||
    kind === commandKinds.replace ||
    kind === commandKinds.reduce ||
    kind === commandKinds.list ||
    kind === commandKinds['instrument-change']
  )
}

function ledgerNotOpen(): PoolError {
  return new PoolError(
    'TIDEMARK_LEDGER_NOT_OPEN',
    'The accounts of this pool are in a ledger, which is not open: orders, and changes of orders and instruments, are taken after Ledger.open.',
  )
}
