import type { Ledger, Movement } from '#tidemark/ledger/index.js'
import type { Store } from '#tidemark/store/index.js'

/** What a ledger says of each change of a balance, while it happens: as lines, with where their records end. */
export function watchMovements(ledger: Ledger): { readonly lsn: number; readonly line: string }[] {
  const seen: { lsn: number; line: string }[] = []
  ledger.onMovement((movement) => seen.push({ lsn: movement.lsn, line: lineOf(movement) }))
  return seen
}

function lineOf({ lsn, account, kind, asset, amount, symbol, orderId, tradeId, key }: Movement): string {
  return [lsn, account, kind, asset, plain(amount), symbol, orderId, tradeId, key]
    .map((value) => value ?? '')
    .join(' ')
}

/** "12.500" as "12.5", whatever its size. */
export function plain(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal
}

/** What a store has of the same, in the same form. */
export async function storedMovements(store: Store): Promise<string[]> {
  const { rows } =
    await store.query(`SELECT c.lsn, c.account, c.kind, c.asset, c.amount, c.symbol, c.order_id, c.trade_id, e.key
FROM balance_changes c LEFT JOIN ledger_entries e ON e.lsn = c.lsn ORDER BY c.lsn, c.change_index`)
  return rows.map((row) =>
    Object.values(row)
      .map((value) => value ?? '')
      .join(' '),
  )
}

/** Where two lists of lines differ first; undefined when they are equal. */
export function firstOtherLine(stored: readonly string[], logged: readonly string[]): string | undefined {
  for (let i = 0; i < Math.max(stored.length, logged.length); i++)
    if (stored[i] !== logged[i]) return `change ${i}: stored ${stored[i]}, logged ${logged[i]}`
  return undefined
}
