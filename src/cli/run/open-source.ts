import { inputFailure, usageFailure } from '../failure.js'
import { FlowSource } from '../flow/flow-source.js'
import { BenchmarkSource } from '../inputs/benchmark-source.js'
import type { CommandSource } from '../inputs/command-source.js'
import { InputFile } from '../inputs/input-file.js'
import { recogniseFormat } from '../inputs/input-format.js'
import { JsonLinesSource } from '../inputs/json-lines-source.js'
import { LobsterSource } from '../lobster/lobster-source.js'
import type { RunSettings } from './settings.js'

/**
 * Opens what a run reads. Undefined: it reads nothing, and the flow is generated once the pool is open.
 *
 * @throws CliFailure: the input can't be read or is in no known format, or a flag does not fit it.
 */
export async function openInput(settings: RunSettings): Promise<CommandSource | undefined> {
  const { input, orderbook, resume, pool } = settings
  if (resume && !(pool.dir ?? process.env['TIDEMARK_DIR'])) {
    throw usageFailure('With --resume give the folder to continue in, as --dir or TIDEMARK_DIR.')
  }
  if (settings.ledger && (input !== undefined || resume)) {
    throw usageFailure('--ledger goes with a generated flow that begins here: without INPUT and --resume.')
  }
  if (input === undefined) {
    if (settings.format !== undefined) throw usageFailure('--format needs an INPUT.')
    checkFits(settings, 'generated')
    return undefined
  }
  const file = await InputFile.open(input)
  try {
    const format = settings.format ?? recogniseFormat(file)
    checkFits(settings, format)
    if (format === 'commands') return new JsonLinesSource(file)
    if (format === 'matching-engine-benchmark') return new BenchmarkSource(file)
    return new LobsterSource(file, orderbook === undefined ? undefined : await InputFile.open(orderbook))
  } catch (error) {
    file.close()
    throw error
  }
}

/** `firstOrderId`: above every order id that the folder may hold already. */
export function generatedSource(settings: RunSettings, firstOrderId: number): CommandSource {
  return new FlowSource(settings.flow, firstOrderId, settings.ledger)
}

/** @throws CliFailure when nothing of the input was fit to be handed over. */
export function checkAnythingTaken(source: CommandSource, taken: number, input: string): void {
  const [first] = source.refusals.kept
  if (taken > 0 || !first) return
  const { total } = source.refusals
  throw inputFailure(
    `Nothing in ${input} could be used: ${total} ${total === 1 ? 'line was' : 'lines were'} refused, ` +
      `the first of them line ${first.line} with ${first.code}.`,
  )
}

function checkFits({ orderbook, benchmarkReports }: RunSettings, format: string): void {
  if (orderbook !== undefined && format !== 'lobster') {
    throw usageFailure(`--orderbook goes with a lobster input; this one is ${format}.`)
  }
  if (benchmarkReports !== undefined && format !== 'matching-engine-benchmark') {
    throw usageFailure(
      `--benchmark-reports goes with a matching-engine-benchmark input; this one is ${format}.`,
    )
  }
}
