/**
 * The orders of one symbol that the generator believes to be open: parallel arrays without order, so that one is
 * picked, and taken out, in a step. The generator hears nothing back, so a few of them have been filled meanwhile.
 */
export class LiveOrders {
  size = 0
  #ids = new Float64Array(256)
  #prices = new Float64Array(256)
  #sells = new Uint8Array(256)
  #accounts = new Uint32Array(256)

  id(at: number): number {
    return this.#ids[at]!
  }
  price(at: number): number {
    return this.#prices[at]!
  }
  /** 1 for a sell order, 0 for a buy order. */
  sell(at: number): number {
    return this.#sells[at]!
  }

  account(at: number): number {
    return this.#accounts[at]!
  }

  add(id: number, price: number, sell: number, account: number): void {
    if (this.size === this.#ids.length) this.#grow()
    const at = this.size++
    this.#ids[at] = id
    this.#prices[at] = price
    this.#sells[at] = sell
    this.#accounts[at] = account
  }

  setPrice(at: number, price: number): void {
    this.#prices[at] = price
  }

  remove(at: number): void {
    const last = --this.size
    this.#ids[at] = this.#ids[last]!
    this.#prices[at] = this.#prices[last]!
    this.#sells[at] = this.#sells[last]!
    this.#accounts[at] = this.#accounts[last]!
  }

  #grow(): void {
    const length = this.#ids.length * 2
    const ids = new Float64Array(length)
    ids.set(this.#ids)
    this.#ids = ids
    const prices = new Float64Array(length)
    prices.set(this.#prices)
    this.#prices = prices
    const sells = new Uint8Array(length)
    sells.set(this.#sells)
    this.#sells = sells
    const accounts = new Uint32Array(length)
    accounts.set(this.#accounts)
    this.#accounts = accounts
  }
}
