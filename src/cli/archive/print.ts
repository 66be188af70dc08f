import { Archive } from '../../archive/index.js'
import { LineOutput } from '../lines.js'
import { requireLog } from '../log-folder.js'

export interface PrintFlags {
  readonly symbol?: string
  readonly factor?: string
  readonly order?: number
  readonly account?: number
  readonly from?: string
  readonly to?: string
  /** Folder of the log, in which the query continues. */
  readonly log?: string
}

/** Prints what a query finds, one JSON object a line, at the pace of the reader. */
export async function printRows(
  dir: string,
  table: 'trades' | 'order-events' | 'factor-values',
  flags: PrintFlags,
): Promise<void> {
  const output = new LineOutput()
  if (flags.log !== undefined) requireLog(flags.log)
  const archive = await Archive.open({ dir, log: flags.log })
  for await (const row of rowsOf(archive, table, flags)) {
    output.line(JSON.stringify(row))
    if (!(await output.drained())) return
  }
  await output.flush()
}

function rowsOf(
  archive: Archive,
  table: 'trades' | 'order-events' | 'factor-values',
  { symbol, factor, order: orderId, account, from, to }: PrintFlags,
): AsyncIterable<object> {
  if (table === 'trades') return archive.trades({ symbol, orderId, account, from, to })
  if (table === 'order-events') return archive.orderEvents({ symbol, orderId, account, from, to })
  return archive.factorValues({ instrument: symbol, factor, from, to })
}
