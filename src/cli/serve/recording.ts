import { existsSync } from 'node:fs'
import * as path from 'node:path'
import { sideCodes, timeInForceCodes } from '../../matching/index.js'
import type { Command, EnginePool } from '../../pool/index.js'
import { inputFailure } from '../failure.js'
import type { CommandSink } from '../inputs/command-source.js'
import { InputFile } from '../inputs/input-file.js'
import { recogniseFormat } from '../inputs/input-format.js'
import { LobsterSource } from '../lobster/lobster-source.js'

/** Accounts of recorded orders: those that rest and those that take are of the source's accounts 1 and 2 after this. */
const recordedAccountsFrom = 1000
const accountsOfSource = [1, 2]
/** Prices are dollars x 10,000. */
const priceDecimals = 4
/** Commands that are not acknowledged yet. */
const windowMax = 256

/** What a recording is paced by; a test has its own. */
export interface PlaybackClock {
  nowMs(): number
  /** Resolves after so many milliseconds, or when `signal` is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

const systemClock: PlaybackClock = {
  nowMs: () => performance.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
      if (signal.aborted) end()
    }),
}

/** What came of a recording. */
export interface Played {
  readonly rows: number
  readonly commands: number
  /** Lines that are no row of a recording, or say what a pool does not take. */
  readonly refused: number
}

/**
 * Recorded days of a market, LOBSTER message files, played into a pool at the speed at which they happened or at another: the days of one
 * share one after the other, and shares beside each other. An order book file beside a message file is used with it.
 */
export class Recording {
  readonly #days: ReadonlyMap<string, readonly LobsterSource[]>
  readonly #speed: number
  readonly #clock: PlaybackClock
  readonly #stop = new AbortController()

  /** `speed` 2 is twice as fast as it was. @throws CliFailure (bad input) for a file that can't be read or is no LOBSTER message file. */
  static async open(files: readonly string[], speed: number, clock = systemClock): Promise<Recording> {
    const days = new Map<string, LobsterSource[]>()
    try {
      for (const file of files) {
        const source = await openDay(file)
        const known = days.get(source.symbol)
        if (known) known.push(source)
        else days.set(source.symbol, [source])
      }
    } catch (error) {
      for (const sources of days.values()) for (const source of sources) source.close()
      throw error
    }
    return new Recording(days, speed, clock)
  }

  private constructor(
    days: ReadonlyMap<string, readonly LobsterSource[]>,
    speed: number,
    clock: PlaybackClock,
  ) {
    this.#days = days
    this.#speed = speed
    this.#clock = clock
  }

  /** The shares, as `EnginePool.open` takes them; they trade in dollars. */
  get instruments() {
    return [...this.#days].map(([symbol, [first]]) => ({
      ...first!.instruments[0]!,
      baseAsset: symbol,
      quoteAsset: 'USD',
    }))
  }

  /**
   * Plays it into a pool that has the instruments. Resolves when it is over, or was stopped. @throws what the pool fails with, when nothing
   * of it is played any more.
   */
  async play(pool: EnginePool): Promise<Played> {
    const shares = [...this.#days].map(async ([symbol, days]) => {
      try {
        return await this.#playShare(new SharePlayer(pool, symbol, this.#stop.signal), days)
      } catch (error) {
        // The other shares would be played to the end of their days.
        this.stop()
        throw error
      } finally {
        for (const source of days) source.close()
      }
    })
    await Promise.allSettled(shares)
    const played = await Promise.all(shares)
    return played.reduce((a, b) => ({
      rows: a.rows + b.rows,
      commands: a.commands + b.commands,
      refused: a.refused + b.refused,
    }))
  }

  async #playShare(share: SharePlayer, days: readonly LobsterSource[]): Promise<Played> {
    for (const [day, source] of days.entries()) {
      if (day > 0) await share.cancelAll()
      await this.#playDay(source, share, day)
    }
    return {
      rows: days.reduce((sum, { rows }) => sum + rows.count, 0),
      commands: share.commands,
      refused: days.reduce((sum, { refusals }) => sum + refusals.total, 0),
    }
  }

  /** Ends it between two of its commands. */
  stop(): void {
    this.#stop.abort()
  }

  get isStopped(): boolean {
    return this.#stop.signal.aborted
  }

  async #playDay(source: LobsterSource, share: SharePlayer, day: number): Promise<void> {
    const { signal } = this.#stop
    const startMs = this.#clock.nowMs()
    let firstSeconds: number | undefined
    const batch = new RecordedCommands(source.symbol, day)
    source.begin({ instrument: (symbol) => share.pool.instrument(symbol), submit: neverAlone })
    for (let more = true; more && !signal.aborted; ) {
      more = await source.fill(batch, 1)
      if (batch.length === 0) continue
      firstSeconds ??= source.seconds
      const dueMs = startMs + ((source.seconds - firstSeconds) * 1000) / this.#speed
      const leftMs = dueMs - this.#clock.nowMs()
      if (leftMs >= 1) await this.#clock.wait(leftMs, signal)
      if (!signal.aborted) await share.submit(batch.take())
    }
    await share.settled()
  }
}

/** Hands over the commands of one share in their order. */
class SharePlayer {
  readonly pool: EnginePool
  readonly #symbol: string
  readonly #signal: AbortSignal
  readonly #inFlight = new Set<Promise<unknown>>()
  #failure: unknown
  commands = 0

  constructor(pool: EnginePool, symbol: string, signal: AbortSignal) {
    this.pool = pool
    this.#symbol = symbol
    this.#signal = signal
  }

  async submit(commands: readonly Command[]): Promise<void> {
    for (const command of commands) {
      while (this.#inFlight.size >= windowMax) await Promise.race(this.#inFlight)
      if (this.#failure !== undefined) throw this.#failure
      this.commands++
      const handed = this.pool.submit(command).catch((error) => {
        this.#failure ??= error
      })
      this.#inFlight.add(handed)
      void handed.finally(() => this.#inFlight.delete(handed))
    }
  }

  /** What is left of a day does not rest in the next. */
  async cancelAll(): Promise<void> {
    if (this.#signal.aborted) return
    for (const account of accountsOfSource)
      await this.pool.submit({
        type: 'cancel-all',
        symbol: this.#symbol,
        account: recordedAccountsFrom + account,
      })
  }

  async settled(): Promise<void> {
    await Promise.all(this.#inFlight)
    if (this.#failure !== undefined) throw this.#failure
  }
}

/**
 * Recorded commands as a pool takes them that others trade on too: the book numbers the orders, and the ids of the recording are the clients'
 * own names for them.
 */
class RecordedCommands implements CommandSink {
  readonly #symbol: string
  readonly #day: number
  #commands: Command[] = []

  constructor(symbol: string, day: number) {
    this.#symbol = symbol
    this.#day = day
  }

  get length(): number {
    return this.#commands.length
  }

  take(): readonly Command[] {
    const commands = this.#commands
    this.#commands = []
    return commands
  }

  addNew(
    _instrument: number,
    orderId: number,
    account: number,
    side: number,
    _type: number,
    timeInForce: number,
    price: number,
    quantity: number,
  ): void {
    const rests = timeInForce === timeInForceCodes.GTC
    this.#commands.push({
      type: 'new',
      symbol: this.#symbol,
      account: recordedAccountsFrom + account,
      side: side === sideCodes.buy ? 'buy' : 'sell',
      orderType: 'limit',
      timeInForce: rests ? 'GTC' : 'IOC',
      price: (price / 10 ** priceDecimals).toFixed(priceDecimals),
      quantity: String(quantity),
      ...(rests && { clientOrderId: this.#name(orderId) }),
    })
  }

  addCancel(_instrument: number, orderId: number, _tag: number, owner: number): void {
    this.#commands.push({
      type: 'cancel',
      symbol: this.#symbol,
      account: recordedAccountsFrom + owner,
      clientOrderId: this.#name(orderId),
    })
  }

  addReduce(_instrument: number, orderId: number, quantity: number, _tag: number, owner: number): void {
    this.#commands.push({
      type: 'reduce',
      symbol: this.#symbol,
      account: recordedAccountsFrom + owner,
      clientOrderId: this.#name(orderId),
      quantity: String(quantity),
    })
  }

  /** LOBSTER has no such message. */
  addReplace(): void {
    throw new RangeError('a LOBSTER file replaces no order')
  }

  add(command: Command): void {
    const { tag: _, ...own } = command as Command & { tag?: unknown }
    this.#commands.push(own as Command)
  }

  #name(orderId: number): string {
    return `${this.#day}-${orderId}`
  }
}

function neverAlone(): Promise<void> {
  throw new RangeError('a LOBSTER file has no command that stands alone')
}

async function openDay(file: string): Promise<LobsterSource> {
  const messages = await InputFile.open(file)
  try {
    if (recogniseFormat(messages) !== 'lobster')
      throw inputFailure(`${file} is no message file of LOBSTER; --record takes no other.`)
    const beside = path.join(path.dirname(file), path.basename(file).replace('_message', '_orderbook'))
    const hasBook = beside !== path.join(path.dirname(file), path.basename(file)) && existsSync(beside)
    return new LobsterSource(messages, hasBook ? await InputFile.open(beside) : undefined)
  } catch (error) {
    messages.close()
    throw error
  }
}
