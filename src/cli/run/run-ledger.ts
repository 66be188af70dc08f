import { Ledger } from '../../ledger/index.js'
import type { EnginePool } from '../../pool/index.js'
import type { FlowSettings } from '../flow/flow-settings.js'
import type { SourceInstrument } from '../inputs/command-source.js'
import type { LedgerSummary } from './summary.js'

const quoteAsset = 'USD'
const quoteScale = 5
const baseScale = 3
/** Most units of an asset that all accounts get together: a part of the 2^63 that fit. */
const unitsMax = 2 ** 62
/** What an account gets at most, in whole ones of an asset. */
const fundsMax = 1_000_000_000
/** Deposits that are on their way at once. */
const depositsAtOnce = 512

/** What the symbol of a generated instrument trades: "BTC-USD" is BTC for USD. */
function baseAssetOf(symbol: string): string {
  return symbol.split('-')[0]!
}

/** A generated instrument with its assets. */
export function withAssets(instrument: SourceInstrument) {
  return { ...instrument, baseAsset: baseAssetOf(instrument.symbol), quoteAsset }
}

/** The ledger of a run: every account of the flow has a deposit of every asset. */
export async function openRunLedger(
  pool: EnginePool,
  instruments: readonly SourceInstrument[],
): Promise<Ledger> {
  const bases = instruments.map(({ symbol }) => ({ id: baseAssetOf(symbol), scale: baseScale }))
  const ledger = await Ledger.open({ pool, assets: [{ id: quoteAsset, scale: quoteScale }, ...bases] })
  for (const { symbol } of instruments) {
    const { baseAsset } = pool.instrument(symbol)!
    if (baseAsset === undefined)
      await pool.changeInstrument(symbol, { baseAsset: baseAssetOf(symbol), quoteAsset })
  }
  return ledger
}

/** Pays in, once for each account and asset of the folder: a flow that comes into it later finds the keys. */
export async function fund(ledger: Ledger, { accounts }: FlowSettings): Promise<void> {
  let waiting: Promise<unknown>[] = []
  for (const { id: asset, scale } of ledger.assets()) {
    const amount = Math.floor(Math.min(fundsMax, unitsMax / 10 ** scale / accounts))
    for (let account = 1; account <= accounts; account++) {
      waiting.push(ledger.deposit({ account, asset, amount, key: `run ${asset} ${account}` }))
      if (waiting.length < depositsAtOnce) continue
      await Promise.all(waiting)
      waiting = []
    }
  }
  await Promise.all(waiting)
}

/** The sums over all accounts, each beside what was paid in. */
export function ledgerSummary(ledger: Ledger): LedgerSummary {
  const assets = ledger.totals().assets
  return { assets, sumsAgree: assets.every(({ total, deposited }) => total === deposited) }
}
