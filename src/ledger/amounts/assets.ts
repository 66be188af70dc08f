import { shown } from '../../base/shown.js'
import { badArgument, LedgerError } from '../errors.js'
import type { Asset } from '../types.js'
import { maxScale } from './amount.js'

/** Most assets of a ledger. */
const assetsMax = 65_535

/** The assets of a ledger, by id and by number. Numbers count from 0, as the log names them. */
export class Assets {
  readonly #byId = new Map<string, number>()
  readonly #list: Asset[] = []

  get size(): number {
    return this.#list.length
  }

  list(): readonly Asset[] {
    return this.#list
  }

  add(asset: Asset): void {
    this.#byId.set(asset.id, this.#list.length)
    this.#list.push({ id: asset.id, scale: asset.scale })
  }

  /** The number of an asset; -1 for an unknown one. */
  find(id: unknown): number {
    return this.#byId.get(id as string) ?? -1
  }

  of(number: number): Asset {
    return this.#list[number]!
  }

  /** @throws LedgerError `TIDEMARK_UNKNOWN_ASSET`. */
  require(id: unknown): number {
    const number = this.find(id)
    if (number >= 0) return number
    throw new LedgerError('TIDEMARK_UNKNOWN_ASSET', `The ledger has no asset ${shown(id)}.`, { asset: id })
  }

  /**
   * What of `assets` is not there yet, all of it checked.
   *
   * @throws LedgerError `TIDEMARK_BAD_ARGUMENT`; `TIDEMARK_ASSET_DIFFERS` for one that is there with another scale.
   */
  missing(assets: readonly Asset[]): Asset[] {
    const seen = new Set<string>()
    for (const asset of assets) {
      checkAsset(asset)
      if (seen.has(asset.id)) throw badArgument(`The asset ${asset.id} is there twice.`, { asset: asset.id })
      seen.add(asset.id)
      const known = this.find(asset.id)
      const scale = known < 0 ? asset.scale : this.of(known).scale
      if (scale !== asset.scale) {
        throw new LedgerError(
          'TIDEMARK_ASSET_DIFFERS',
          `${asset.id} has ${scale} decimals in this ledger; it can't be opened with ${asset.scale}.`,
          { asset: asset.id, logged: scale, wanted: asset.scale },
        )
      }
    }
    const missing = assets.filter(({ id }) => this.find(id) < 0)
    if (this.size + missing.length > assetsMax) throw badArgument(`A ledger has at most ${assetsMax} assets.`)
    return missing
  }
}

function checkAsset(asset: unknown): asserts asset is Asset {
  const { id, scale, ...rest } = (typeof asset === 'object' && asset !== null ? asset : {}) as Partial<Asset>
  const isNamed = typeof id === 'string' && id.length > 0 && Buffer.byteLength(id) <= 32
  const isScaled = typeof scale === 'number' && Number.isInteger(scale) && scale >= 0 && scale <= maxScale
  if (isNamed && isScaled && Object.keys(rest).length === 0) return
  throw badArgument(
    `An asset is { id, scale }: an id of 1 to 32 bytes, and 0 to ${maxScale} decimals; not ${shown(asset)}.`,
    { asset },
  )
}
