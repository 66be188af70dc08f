import { NumberIndex } from '../../matching/index.js'
import { grown64, grownFloats, grownInts, lengthFor } from './grow.js'

const initialCells = 1024

/** What a snapshot has of the cells; the first is cell 1. */
export interface CellArrays {
  readonly balance: BigInt64Array
  readonly account: Float64Array
  readonly asset: Int32Array
}

/**
 * What each account has of each asset: a cell, by number. Cell 0 is never given out. 22 bytes in arrays that double, and
 * at most 64 in the index: below 110 bytes a cell.
 */
export class Cells {
  readonly #index = new NumberIndex(0x6c65_6467)
  balance: BigInt64Array = new BigInt64Array(initialCells)
  /** What open orders, and commands on their way, may take. */
  held: BigInt64Array = new BigInt64Array(initialCells)
  account: Float64Array = new Float64Array(initialCells)
  asset: Int32Array = new Int32Array(initialCells)
  #used = 1

  /** One more than the highest cell. */
  get end(): number {
    return this.#used
  }

  /** 0 when the account never had any. */
  find(account: number, asset: number): number {
    return this.#index.find(asset, account)
  }

  /** The cell, made when it is not there. */
  of(account: number, asset: number): number {
    return this.#index.find(asset, account) || this.#add(account, asset)
  }

  available(cell: number): bigint {
    return this.balance[cell]! - this.held[cell]!
  }

  image(): CellArrays {
    return {
      balance: this.balance.slice(1, this.#used),
      account: this.account.slice(1, this.#used),
      asset: this.asset.slice(1, this.#used),
    }
  }

  /** Takes over the cells of an image, in their order, where there are none yet. */
  restore({ balance, account, asset }: CellArrays): void {
    const used = balance.length + 1
    this.#grow(lengthFor(used, this.balance.length))
    this.balance.set(balance, 1)
    this.account.set(account, 1)
    this.asset.set(asset, 1)
    this.#index.reserve(balance.length)
    for (let i = 0; i < balance.length; i++) this.#index.insert(asset[i]!, account[i]!, i + 1)
    this.#used = used
  }

  #add(account: number, asset: number): number {
    if (this.#used === this.balance.length) this.#grow(this.#used * 2)
    const cell = this.#used++
    this.account[cell] = account
    this.asset[cell] = asset
    this.#index.insert(asset, account, cell)
    return cell
  }

  #grow(length: number): void {
    this.balance = grown64(this.balance, length)
    this.held = grown64(this.held, length)
    this.account = grownFloats(this.account, length)
    this.asset = grownInts(this.asset, length)
  }
}
