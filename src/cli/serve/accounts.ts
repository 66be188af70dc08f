import { Ledger } from '../../ledger/index.js'
import { NodeDisk } from '../../log/index.js'
import { type EnginePool, listLedgerFiles } from '../../pool/index.js'
import { demoInstruments } from '../../server/index.js'

/** Decimals of an asset that is new to a ledger, unless an instrument needs more. */
const scaleDefault = 8

/**
 * The ledger of a venue: the one that its folder has, or a new one where that is `wanted`. Assets of instruments that it does not have yet are
 * added.
 */
export async function openAccounts(
  pool: EnginePool,
  dir: string,
  { wanted }: { readonly wanted: boolean },
): Promise<Ledger | undefined> {
  const isThere = listLedgerFiles(new NodeDisk(), dir).length > 0
  if (!isThere && !wanted) return undefined
  const ledger = await Ledger.open({ pool, assets: [] })
  const known = new Set(ledger.assets().map(({ id }) => id))
  const scales = new Map(
    assetsOf(pool)
      .filter((id) => !known.has(id))
      .map((id) => [id, scaleDefault]),
  )
  for (;;) {
    try {
      await ledger.addAssets([...scales].map(([id, scale]) => ({ id, scale })))
      return ledger
    } catch (error) {
      const { code, details } = error as { code?: string; details?: { asset: string; neededScale: number } }
      const scale = details && scales.get(details.asset)
      if (code !== 'TIDEMARK_SCALE_TOO_SMALL' || scale === undefined || details!.neededScale <= scale)
        throw error
      scales.set(details!.asset, details!.neededScale)
    }
  }
}

function assetsOf(pool: EnginePool): string[] {
  const assets = pool.instruments().flatMap(({ baseAsset, quoteAsset }) => [baseAsset, quoteAsset])
  return [...new Set(assets.filter((asset) => asset !== undefined))]
}

/** Pays into the accounts of a demo: enough of each asset to play with, and to make its market. */
export async function fundDemo(
  ledger: Ledger,
  accounts: readonly number[],
  traders: readonly number[],
): Promise<void> {
  const assets = new Set<string>(
    demoInstruments.flatMap(({ baseAsset, quoteAsset }) => [baseAsset, quoteAsset]),
  )
  const deposits = [...assets].flatMap((asset) => [
    ...accounts.map((account) => [account, asset, asset === 'USDT' ? '1000000' : '100'] as const),
    ...traders.map((account) => [account, asset, '10000000'] as const),
  ])
  await Promise.all(
    deposits.map(([account, asset, amount]) =>
      ledger.deposit({ account, asset, amount, key: `demo ${account} ${asset}` }),
    ),
  )
}
