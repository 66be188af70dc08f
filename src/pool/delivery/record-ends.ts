/** Bytes of log on one page: a bit for each multiple of eight makes 4 KiB of it. */
const pageBytes = 256 * 1024
const pagesMax = 4096

/** The ends of records further back than this are dropped: such a record can't be acknowledged by itself any more. */
export const acknowledgeWindowBytes = (pagesMax - 1) * pageBytes

/** The LSNs at which records end, over the last GiB of log: a 64th of it in memory, at most 16 MiB. */
export class RecordEnds {
  readonly #pages = new Map<number, Uint32Array>()
  #number = -1
  #page = new Uint32Array(0)

  /** Adds an LSN above all before. */
  add(lsn: number): void {
    const number = Math.floor(lsn / pageBytes)
    if (number !== this.#number) this.#turn(number)
    const bit = (lsn % pageBytes) / 8
    this.#page[bit >> 5]! |= 1 << (bit & 31)
  }

  has(lsn: number): boolean {
    const page = this.#pages.get(Math.floor(lsn / pageBytes))
    const bit = (lsn % pageBytes) / 8
    return page !== undefined && (page[bit >> 5]! & (1 << (bit & 31))) !== 0
  }

  /** Forgets the pages wholly below an LSN. */
  dropBelow(lsn: number): void {
    const first = Math.floor(lsn / pageBytes)
    for (const number of this.#pages.keys()) {
      if (number >= first) return
      this.#pages.delete(number)
    }
  }

  #turn(number: number): void {
    this.#number = number
    this.#page = new Uint32Array(pageBytes / 8 / 32)
    this.#pages.set(number, this.#page)
    this.dropBelow((number + 1 - pagesMax) * pageBytes)
  }
}
