import type { Manifest } from '../manifest.js'
import { InstrumentTexts } from './pool-rows.js'
import { type RowKeys, TextKeys } from './text-keys.js'

/** The keys of an archive's rows. */
export function keysOf(manifest: Manifest): RowKeys {
  return manifest.kind === 'pool' ? new InstrumentKeys(manifest) : new TextKeys()
}

class InstrumentKeys extends InstrumentTexts implements RowKeys {
  readonly #ids: ReadonlyMap<string, number>

  constructor({ instruments }: Manifest) {
    super(instruments)
    this.#ids = new Map(instruments.map(({ id, symbol }) => [symbol, id]))
  }

  keyOf([symbol]: readonly string[]): number {
    return this.#ids.get(symbol!) ?? -1
  }
}
