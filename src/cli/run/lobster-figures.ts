import type { PoolEvent } from '../../pool/index.js'
import { type MessageRow, messageType, type Touch } from '../lobster/lobster-rows.js'
import { type LobsterSource, takerIdBase } from '../lobster/lobster-source.js'
import { VisibleBook } from '../lobster/visible-book.js'
import type { EventSink } from './event-feed.js'

/** Why a figure can't be met from a file of few levels. */
export const limitsOfTheData = {
  'submission-not-in-file':
    'the exchange shows more than the file ever submitted at that price: orders from before the file, or entered away from its levels',
  'deletion-not-in-file':
    'the file never says that an order is gone: it was deleted away from the levels of the file',
  'matched-elsewhere':
    'an earlier execution had taken another order than the one named, so one order too few and one too many are open',
} as const
export type DataLimit = keyof typeof limitsOfTheData

interface Disagreement {
  readonly kind: string
  readonly reason: DataLimit
  readonly count: number
}

export interface LobsterSummary {
  readonly rows: number
  /** Rows by LOBSTER's type, and what was not submitted. */
  readonly messages: Readonly<Record<string, number>>
  readonly executions: {
    readonly all: number
    /** Of orders that were open in the book at that moment. */
    readonly known: number
    readonly hitNamedOrder: number
    readonly otherOrderHit: readonly Disagreement[]
    readonly unknown: UnknownOrders & { readonly submittedButNotOpen: number }
  }
  /** Deletions and reductions of orders that the file never submitted. */
  readonly unknownDeletions: UnknownOrders
  readonly quotes: QuoteSummary | undefined
}

interface UnknownOrders {
  /** The id is below the first that the file submits: the order rested before the file begins. */
  readonly fromBeforeTheFile: number
  /** The order was entered later, away from the levels of the file. */
  readonly enteredAwayFromTheTouch: number
}

interface QuoteSummary {
  readonly rows: number
  /** Best bid and ask have the prices shown, and prices and sizes shown. */
  readonly pricesAgree: number
  readonly pricesAndSizesAgree: number
  /** Prices that agreed before the cancels of orders better than the best shown. */
  readonly pricesAgreeUnaided: number
  readonly cancelledBetter: number
  /** Sides of rows, by what differs and why. */
  readonly disagreements: readonly Disagreement[]
  /** Rows after which the pool's events and the local engine did not lead to the same touch; 0 unless there is a fault. */
  readonly localDifferences: number
}

const priceSteps = 10_000

/** Compares the pool's durable events with what the exchange did. */
export class LobsterFigures implements EventSink {
  readonly #source: LobsterSource
  /** Our book, from the pool's events. */
  readonly #book = new VisibleBook()
  /** What the file itself says is open: each message applied to the order that it names. */
  readonly #record = new VisibleBook()
  readonly #submitted = new Set<number>()
  readonly #messages = new Map<string, number>()
  readonly #otherHits = new Map<string, number>()
  readonly #differences = new Map<string, number>()
  #firstId = 0
  #row = -1
  #finished = 0
  #awaitsHit = false
  #executions = 0
  #known = 0
  #hits = 0
  #notOpen = 0
  readonly #unknownExecutions = { fromBeforeTheFile: 0, enteredAwayFromTheTouch: 0 }
  readonly #unknownDeletions = { fromBeforeTheFile: 0, enteredAwayFromTheTouch: 0 }
  #pricesAgree = 0
  #sizesAgree = 0
  #unaided = 0
  #judgedUnaided = -1
  #localDifferences = 0

  constructor(source: LobsterSource) {
    this.#source = source
  }

  event(event: PoolEvent): void {
    if (event.event === 'instrument-created') return
    this.#reach(Number(event.tag))
    switch (event.event) {
      case 'accepted':
        if (event.orderId < takerIdBase) {
          const sell = event.side === 'sell' ? 1 : 0
          this.#book.add(event.orderId, sell, ticks(event.price), Number(event.quantity))
        }
        return
      case 'trade':
        this.#noteHit(event.makerOrderId)
        this.#book.reduce(event.makerOrderId, Number(event.quantity))
        this.#book.reduce(event.takerOrderId, Number(event.quantity))
        return
      case 'cancelled':
        this.#noteCancel(event.orderId)
        this.#book.remove(event.orderId)
        return
      case 'replaced':
        this.#book.reduce(event.orderId, this.#book.size(event.orderId) - Number(event.quantity))
        return
      default:
    }
  }

  end(): void {
    this.#reach(this.#source.rows.count)
  }

  summary(): LobsterSummary {
    return {
      rows: this.#finished,
      messages: Object.fromEntries(this.#messages),
      executions: {
        all: this.#executions,
        known: this.#known,
        hitNamedOrder: this.#hits,
        otherOrderHit: disagreements(this.#otherHits),
        unknown: { ...this.#unknownExecutions, submittedButNotOpen: this.#notOpen },
      },
      unknownDeletions: this.#unknownDeletions,
      quotes: this.#source.hasShown
        ? {
            rows: this.#finished,
            pricesAgree: this.#pricesAgree,
            pricesAndSizesAgree: this.#sizesAgree,
            pricesAgreeUnaided: this.#unaided,
            cancelledBetter: this.#source.cancelledBetter,
            disagreements: disagreements(this.#differences),
            localDifferences: this.#localDifferences,
          }
        : undefined,
    }
  }

  /** Finishes the rows before `row` and begins it, if that has not been done. */
  #reach(row: number): void {
    while (this.#row < row) {
      if (this.#row >= 0) this.#finishRow(this.#row)
      this.#row++
      if (this.#row < this.#source.rows.count) this.#beginRow(this.#source.rows.row(this.#row))
    }
  }

  #beginRow(row: MessageRow): void {
    const { orderId, type } = row
    this.#awaitsHit = false
    add(this.#messages, messageNames[type]!)
    if (type === messageType.execution) {
      this.#executions++
      if (this.#book.has(orderId)) {
        this.#known++
        this.#awaitsHit = true
      } else if (this.#submitted.has(orderId)) this.#notOpen++
      else this.#noteUnknown(this.#unknownExecutions, orderId)
    } else if (type === messageType.deletion || type === messageType.reduction) {
      if (!this.#submitted.has(orderId)) this.#noteUnknown(this.#unknownDeletions, orderId)
    } else if (type === messageType.submission) {
      this.#firstId ||= orderId
      this.#submitted.add(orderId)
    }
    this.#recordRow(row)
  }

  #recordRow({ type, orderId, size, price, sell }: MessageRow): void {
    if (type === messageType.submission) this.#record.add(orderId, sell, price, size)
    else if (type === messageType.deletion) this.#record.remove(orderId)
    else if (type === messageType.reduction || type === messageType.execution) {
      this.#record.reduce(orderId, size)
    }
  }

  #noteUnknown(
    counts: { fromBeforeTheFile: number; enteredAwayFromTheTouch: number },
    orderId: number,
  ): void {
    if (this.#firstId === 0 || orderId < this.#firstId) counts.fromBeforeTheFile++
    else counts.enteredAwayFromTheTouch++
  }

  /** The first trade of an execution's order says which resting order it met. */
  #noteHit(makerOrderId: number): void {
    if (!this.#awaitsHit) return
    this.#awaitsHit = false
    if (makerOrderId === this.#source.rows.row(this.#row).orderId) {
      this.#hits++
      return
    }
    const reason: DataLimit = this.#record.has(makerOrderId) ? 'deletion-not-in-file' : 'matched-elsewhere'
    add(this.#otherHits, `an earlier order at the price was hit|${reason}`)
  }

  /** A cancel that the row itself does not ask for is one of an order better than the best shown. */
  #noteCancel(orderId: number): void {
    if (orderId >= takerIdBase) return
    const row = this.#source.rows.row(this.#row)
    const asked = row.type === messageType.deletion || row.type === messageType.reduction
    if (asked && row.orderId === orderId) return
    this.#judgeUnaided(this.#row)
    this.#record.remove(orderId)
  }

  #judgeUnaided(row: number): void {
    if (this.#judgedUnaided === row) return
    this.#judgedUnaided = row
    const ours = this.#book.quote()
    const shown = this.#source.rows.shown(row)
    if (ours.bid.price === shown.bid.price && ours.ask.price === shown.ask.price) this.#unaided++
  }

  #finishRow(index: number): void {
    this.#finished++
    if (this.#awaitsHit) add(this.#otherHits, 'nothing was hit|matched-elsewhere')
    if (!this.#source.hasShown) return
    this.#judgeUnaided(index)
    const { rows } = this.#source
    const ours = this.#book.quote()
    const shown = rows.shown(index)
    const local = rows.local(index)
    if (!sameTouch(ours.bid, local.bid) || !sameTouch(ours.ask, local.ask)) this.#localDifferences++
    if (ours.bid.price === shown.bid.price && ours.ask.price === shown.ask.price) this.#pricesAgree++
    const bidAgrees = this.#judgeSide(0, ours.bid, shown.bid)
    const askAgrees = this.#judgeSide(1, ours.ask, shown.ask)
    if (bidAgrees && askAgrees) this.#sizesAgree++
  }

  #judgeSide(sell: number, ours: Touch, shown: Touch): boolean {
    if (sameTouch(ours, shown)) return true
    const better =
      ours.size > 0 && (shown.size === 0 || (sell ? ours.price < shown.price : ours.price > shown.price))
    const kind =
      ours.price === shown.price
        ? ours.size < shown.size
          ? 'size smaller than shown'
          : 'size larger than shown'
        : ours.size === 0
          ? 'no order on the side'
          : better
            ? 'price better than shown'
            : 'price worse than shown'
    add(this.#differences, `${kind}|${this.#reason(sell, ours, shown, better)}`)
    return false
  }

  /** What the file itself says is open at the price in question decides. */
  #reason(sell: number, ours: Touch, shown: Touch, better: boolean): DataLimit {
    const expected = better ? 0 : shown.size
    const recorded = this.#record.sizeAt(sell, better ? ours.price : shown.price)
    if (recorded < expected) return 'submission-not-in-file'
    return recorded > expected ? 'deletion-not-in-file' : 'matched-elsewhere'
  }
}

const messageNames: Readonly<Record<number, string>> = {
  [messageType.submission]: 'submissions',
  [messageType.reduction]: 'reductions',
  [messageType.deletion]: 'deletions',
  [messageType.execution]: 'executions',
  [messageType.hiddenExecution]: 'hiddenExecutionsNotSubmitted',
  [messageType.cross]: 'crossesNotSubmitted',
  [messageType.halt]: 'halts',
}

function ticks(price: string | undefined): number {
  return Math.round(Number(price) * priceSteps)
}

function sameTouch(one: Touch, other: Touch): boolean {
  return one.price === other.price && one.size === other.size
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function disagreements(counts: Map<string, number>): Disagreement[] {
  return [...counts]
    .map(([key, count]) => {
      const [kind, reason] = key.split('|') as [string, DataLimit]
      return { kind, reason, count }
    })
    .sort((a, b) => b.count - a.count)
}
