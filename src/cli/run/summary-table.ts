import { damageText } from '../../log/index.js'
import { bytes, count, duration, percent, quantiles, rate } from '../number-format.js'
import { factsTable, type Fact as Row } from '../tables.js'
import { type LobsterSummary, limitsOfTheData } from './lobster-figures.js'
import type { LedgerSummary, RunSummary } from './summary.js'

const shownSymbolsMax = 10
const shownRefusalsMax = 5

/** A run's summary for people: two columns. */
export function summaryTable(summary: RunSummary): string {
  return factsTable([
    ...inputRows(summary),
    ...(nothingWasLeft(summary) ? [] : [...flowRows(summary), ...logRows(summary)]),
    ['folder', folderText(summary.folder)],
    ...bookRows(summary),
    ...(summary.lobster ? lobsterRows(summary.lobster) : []),
    ...(summary.ledger ? ledgerRows(summary.ledger) : []),
    ...endRows(summary),
  ])
}

/** A resumption that found all of its input on disk: there is nothing to measure. */
function nothingWasLeft({ resumed, commands }: RunSummary): boolean {
  return resumed !== undefined && commands === 0
}

function inputRows(summary: RunSummary): Row[] {
  const { input, settings, refused, resumed, tornTail } = summary
  const source = input.path ?? `generated, seed ${input.seed}`
  const rows: Row[] = [
    ['input', `${source} (${input.format})`],
    [
      'settings',
      `${settings.shards} ${settings.shards === 1 ? 'shard' : 'shards'}, batch size ${settings.batchSize}, ` +
        `batch delay ${settings.batchDelayMs} ms, durability ${settings.durability}`,
    ],
  ]
  if (tornTail) rows.push(['torn tail', damageText(tornTail)])
  if (resumed && resumed.commands > 0) {
    const rest = nothingWasLeft(summary) ? '; nothing was left to do' : ', which were passed over'
    rows.push(['on disk before', `${count(resumed.commands)} commands${rest}`])
  }
  rows.push(
    ['refused input', count(refused.total)],
    ...refused.lines
      .slice(0, shownRefusalsMax)
      .map(({ line, code, message }): Row => ['', `line ${line}: ${code} ${message}`]),
  )
  if (refused.total > shownRefusalsMax) {
    const codes = Object.entries(refused.byCode).map(([code, times]) => `${code} ${count(times)}`)
    rows.push(['', `in all: ${codes.join(', ')}`])
  }
  return rows
}

function flowRows(summary: RunSummary): Row[] {
  const { latency } = summary
  return [
    ['commands', count(summary.commands)],
    ['trades', `${count(summary.trades)} (${rate(summary.tradesPerCommand)} a command)`],
    ['rejected by the book', `${count(summary.rejected)} (${percent(summary.rejected, summary.commands)})`],
    ['time', duration(summary.elapsedMs)],
    [
      'throughput',
      `${rate(summary.commandsPerSecond)} commands/s, ${rate(summary.tradesPerSecond)} trades/s, all on disk`,
    ],
    [
      'acknowledgement',
      `p50 ${duration(latency.p50Ms)}, p99 ${duration(latency.p99Ms)}, ` +
        `p99.9 ${duration(latency.p999Ms)}, max ${duration(latency.maxMs)}`,
    ],
    ['', `of ${latency.of}`],
  ]
}

function logRows({ log }: RunSummary): Row[] {
  return [
    ['flushes', `${count(log.flushes)} (${quantiles(log.flushLatency)})`],
    ['records a flush', log.recordsPerFlush.toFixed(1)],
    ['bytes', `${bytes(log.bytes)} (${log.bytesPerCommand.toFixed(1)} a command)`],
  ]
}

function folderText({ path, temporary }: RunSummary['folder']): string {
  return temporary ? `${path} (temporary, removed)` : path
}

function bookRows({ book }: RunSummary): Row[] {
  const rows: Row[] = [['resting orders', count(book.restingOrders)]]
  const side = (price: string | null) => price ?? 'none'
  for (const { symbol, bestBid, bestAsk } of book.symbols.slice(0, shownSymbolsMax)) {
    rows.push([`  ${symbol}`, `best bid ${side(bestBid)}, best ask ${side(bestAsk)}`])
  }
  const more = book.symbols.length - shownSymbolsMax
  if (more > 0) rows.push(['', `and ${count(more)} more symbols`])
  return rows
}

function ledgerRows({ assets, sumsAgree }: LedgerSummary): Row[] {
  const rows: Row[] = [
    ['ledger', sumsAgree ? 'all accounts together have what was paid in' : 'THE ACCOUNTS DO NOT ADD UP'],
  ]
  for (const { asset, total, held, accounts } of assets.slice(0, shownSymbolsMax))
    rows.push([`  ${asset}`, `${total} in ${count(accounts)} accounts, ${held} of it held`])
  const more = assets.length - shownSymbolsMax
  if (more > 0) rows.push(['', `and ${count(more)} more assets`])
  return rows
}

function lobsterRows({
  rows: fileRows,
  messages,
  executions,
  unknownDeletions,
  quotes,
}: LobsterSummary): Row[] {
  const of = (part: number, whole: number) => `${count(part)} of ${count(whole)} (${percent(part, whole)})`
  const rows: Row[] = [
    ['lobster rows', count(fileRows)],
    ...Object.entries(messages).map(([name, times]): Row => [`  ${words(name)}`, count(times)]),
    ['executions of known orders', count(executions.known)],
    ['  hit the named order', of(executions.hitNamedOrder, executions.known)],
    ...executions.otherOrderHit.map(
      ({ kind, reason, count: times }): Row => [`  ${kind}`, `${count(times)}  ${reason}`],
    ),
    ['executions of unknown orders', count(executions.all - executions.known)],
    ['  resting before the file', count(executions.unknown.fromBeforeTheFile)],
    ['  entered away from the touch', count(executions.unknown.enteredAwayFromTheTouch)],
    ['  submitted, no longer open', count(executions.unknown.submittedButNotOpen)],
    [
      'deletions of unknown orders',
      `${count(unknownDeletions.fromBeforeTheFile)} resting before the file, ` +
        `${count(unknownDeletions.enteredAwayFromTheTouch)} entered away from the touch`,
    ],
  ]
  const reasons = new Set(executions.otherOrderHit.map(({ reason }) => reason))
  if (quotes) {
    rows.push(
      ['rows where the best bid and ask', ''],
      ['  prices agree', of(quotes.pricesAgree, quotes.rows)],
      ['  prices and sizes agree', of(quotes.pricesAndSizesAgree, quotes.rows)],
      ['  prices agree before cancels', of(quotes.pricesAgreeUnaided, quotes.rows)],
      ['cancels of orders better than shown', count(quotes.cancelledBetter)],
      ['sides of rows that disagree', ''],
      ...quotes.disagreements.map(
        ({ kind, reason, count: times }): Row => [`  ${kind}`, `${count(times)}  ${reason}`],
      ),
      ['pool and local engine', quotes.localDifferences === 0 ? 'same touch after every row' : 'DIFFER'],
    )
    for (const { reason } of quotes.disagreements) reasons.add(reason)
  }
  for (const reason of reasons) rows.push([`(${reason})`, limitsOfTheData[reason]])
  return rows
}

function endRows({ benchmarkReportSha256, verify, interrupted }: RunSummary): Row[] {
  const rows: Row[] = []
  if (benchmarkReportSha256 !== undefined) rows.push(['report lines, SHA-256', benchmarkReportSha256])
  if (verify) {
    rows.push([
      'reopened',
      verify.identical
        ? `identical books, ${count(verify.symbols)} of ${count(verify.symbols)} symbols (${duration(verify.reopenMs)})`
        : `DIFFERENT: ${verify.different.slice(0, shownSymbolsMax).join(', ')}`,
    ])
  }
  if (interrupted) rows.push(['interrupted', 'everything handed over is on disk; the rest was not taken in'])
  return rows
}

/** "hiddenExecutionsNotSubmitted" as "hidden executions not submitted". */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
