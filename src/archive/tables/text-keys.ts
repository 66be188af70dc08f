import type { KeyTexts } from './columns.js'

/** The keys of rows that are read from files, by their texts and the other way round. */
export interface RowKeys extends KeyTexts {
  keyOf(texts: readonly string[]): number
}

/** Numbers for what has none of its own: an instrument with a factor, in the order in which they come. */
export class TextKeys implements RowKeys {
  readonly #keys = new Map<string, number>()
  readonly #texts: (readonly string[])[] = []

  keyOf(texts: readonly string[]): number {
    const name = JSON.stringify(texts)
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    const key = this.#texts.length
    this.#keys.set(name, key)
    this.#texts.push([...texts])
    return key
  }

  text(column: string, key: number): string {
    return this.#texts[key]![column === 'instrument' ? 0 : 1]!
  }

  grid(): { readonly mantissa: number; readonly scale: number } {
    return { mantissa: 1, scale: 0 }
  }
}
