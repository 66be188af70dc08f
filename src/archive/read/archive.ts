import * as path from 'node:path'
import { errnoOf } from '../../base/errno.js'
import { TidemarkError } from '../../base/errors.js'
import { shown } from '../../base/shown.js'
import {
  badSetting,
  checkOptions,
  type Disk,
  firstLsnOf,
  kindIn,
  LogError,
  listSegments,
  NodeDisk,
  optionNames,
} from '../../log/index.js'
import type { EnginePool, PoolEvent, TradeEvent } from '../../pool/index.js'
import { ArchiveError } from '../errors.js'
import {
  type ArchiveKind,
  type ArchivePart,
  emptyManifest,
  type Manifest,
  readManifest,
} from '../manifest.js'
import { type ParquetPackages, parquetPackages } from '../packages.js'
import type { Table } from '../tables/columns.js'
import { factorValuesTable } from '../tables/factor-table.js'
import { InstrumentTexts } from '../tables/pool-rows.js'
import { orderEventsTable, tradesTable } from '../tables/pool-tables.js'
import type { LogState } from '../tables/rows-after.js'
import { checkLineage } from '../write/lineage.js'
import { eventOfRow, type OrderEvent, tradeOfRow } from './event-of-row.js'
import { liveRows } from './live-rows.js'
import { type FoundRows, PartScan, type RowFilter } from './part-scan.js'
import { type Moment, microseconds } from './times.js'

/** What an archive is opened with. */
export interface ArchiveOptions {
  /** Folder of the archive. */
  readonly dir: string
  /** An open pool whose log is archived there: queries continue in it where the archive ends. */
  readonly pool?: EnginePool | undefined
  /**
   * The folder of the log that is archived there, of a pool or of factors; another process may have it open. Queries continue in it
   * where the archive ends. Not together with `pool`.
   */
  readonly log?: string | undefined
  /** The disk that has the files; by default the machine's own. For tests. @internal */
  readonly disk?: Disk | undefined
}

/** A span of time; what has no bound is open on that side. */
export interface TimeRange {
  /** The first moment that is asked for. Default: the beginning. */
  readonly from?: Moment | undefined
  /** The first moment that is not asked for any more. Default: the end of what is durable now. */
  readonly to?: Moment | undefined
}

/** Which trades are asked for; a field that is left out excludes none. */
export interface TradesQuery extends TimeRange {
  /** Of this symbol only. */
  readonly symbol?: string | undefined
  /** Trades of this order, as maker or taker. */
  readonly orderId?: number | undefined
  /** Trades of this account, as maker or taker. */
  readonly account?: number | undefined
}

/** Which events of orders are asked for; a field that is left out excludes none. */
export interface OrderEventsQuery extends TimeRange {
  /** Of this symbol only. */
  readonly symbol?: string | undefined
  /** Of this order only. */
  readonly orderId?: number | undefined
  /** Of this account only. */
  readonly account?: number | undefined
}

/** Which values of factors are asked for; a field that is left out excludes none. */
export interface FactorValuesQuery extends TimeRange {
  /** Of this instrument only. */
  readonly instrument?: string | undefined
  /** Of this factor only. */
  readonly factor?: string | undefined
}

/** A value of a factor, as it was logged. */
export interface FactorValue {
  /** The instrument's name. */
  readonly instrument: string
  /** The factor's name; with its output, such as `macd.signal`, where it has several. */
  readonly factor: string
  /** `undefined` where the factor was not defined. */
  readonly value: number | undefined
  /** The time that the source gave, in its own unit. */
  readonly timestamp: number
  /** When the record was logged, in microseconds since 1970. */
  readonly timeUs: number
  /** Where the record ends that holds it. */
  readonly lsn: number
  /** Which entry of its record it is, from 0 on. */
  readonly index: number
}

/** What is in an archive, and what of it queries looked at since it was opened. */
export interface ArchiveStats {
  /** The kind of the archived log. */
  readonly kind: ArchiveKind
  /** Where the archive begins. */
  readonly firstLsn: number
  /** Where the archive ends: everything between is in it once. */
  readonly endLsn: number
  /** How many parts it has; each is a span of LSNs with a file for each table. */
  readonly parts: number
  /** How many Parquet files it has. */
  readonly files: number
  /** The size of these files, in bytes. */
  readonly bytes: number
  /** How many rows it has, by table. */
  readonly rows: Readonly<Record<string, number>>
  /** How many files the queries so far have read. */
  readonly filesRead: number
  /** How many row groups those files have. */
  readonly groups: number
  /** How many of those row groups were read. */
  readonly groupsRead: number
}

const archiveOptions = optionNames<ArchiveOptions>({ dir: true, pool: true, log: true, disk: true })
const tradeOptions = optionNames<TradesQuery>({
  symbol: true,
  orderId: true,
  account: true,
  from: true,
  to: true,
})
const orderEventOptions: ReadonlySet<string> = tradeOptions
const factorOptions = optionNames<FactorValuesQuery>({ instrument: true, factor: true, from: true, to: true })

/**
 * An archive that is open for queries. It changes nothing there, and an archiver or a compaction may be at work meanwhile.
 *
 * Each query gives the rows of one symbol (or factor) in the order of the log. Rows of several come part by part of the log,
 * and within a part by symbol.
 *
 * @example
 * ```js
 * import { EnginePool } from 'tidemark'
 * import { Archive } from 'tidemark/archive'
 *
 * const pool = await EnginePool.open({
 *   dir: './data',
 *   archive: './archive',
 *   instruments: [{ symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001' }],
 * })
 * const archive = await Archive.open({ dir: './archive', pool })
 * for await (const trade of archive.trades({ symbol: 'BTC-USD', from: '2026-01-31' })) {
 *   console.log(trade.timeUs, trade.price, trade.quantity)
 * }
 * await pool.close()
 * ```
 */
export class Archive {
  /** The folder of the archive. */
  readonly dir: string
  readonly #disk: Disk
  readonly #pool: EnginePool | undefined
  readonly #log: string | undefined
  readonly #scan: PartScan
  #manifest: Manifest

  /**
   * Opens the archive in a folder.
   *
   * @throws ArchiveError `TIDEMARK_ARCHIVE_MISSING`, `TIDEMARK_ARCHIVE_DAMAGED`, `TIDEMARK_ARCHIVE_FORMAT`,
   *   `TIDEMARK_ARCHIVE_PACKAGE_MISSING`, `TIDEMARK_ARCHIVE_OTHER_LOG`, `TIDEMARK_ARCHIVE_GAP`; LogError `TIDEMARK_LOG_IO`,
   *   `TIDEMARK_BAD_SETTING`.
   */
  static async open(options: ArchiveOptions): Promise<Archive> {
    checkOptions('Archive.open', options, archiveOptions)
    if (options.pool !== undefined && options.log !== undefined)
      throw badSetting('log', options.log, 'either "pool" or "log"')
    const disk = options.disk ?? new NodeDisk()
    const packages = await parquetPackages()
    return new Archive(packages, disk, options)
  }

  private constructor(packages: ParquetPackages, disk: Disk, { dir, pool, log }: ArchiveOptions) {
    this.dir = dir
    this.#disk = disk
    this.#pool = pool
    this.#log = log
    this.#scan = new PartScan(packages, disk, dir)
    this.#manifest = this.#read()
  }

  /** Trades, as a subscriber of the pool got them. @throws ArchiveError, LogError while iterating. */
  async *trades(query: TradesQuery = {}): AsyncGenerator<TradeEvent> {
    checkOptions('trades', query, tradeOptions)
    const { symbol, orderId, account } = query
    const filter: RowFilter = {
      ...range(query),
      keys: texts({ symbol }),
      numbers: [
        ...either(['maker_order_id', 'taker_order_id'], 'orderId', orderId),
        ...either(['maker_account', 'taker_account'], 'account', account),
      ],
    }
    const isAsked = (event: PoolEvent): event is TradeEvent =>
      event.event === 'trade' &&
      isWithin(event, filter, symbol) &&
      (orderId === undefined || event.makerOrderId === orderId || event.takerOrderId === orderId) &&
      (account === undefined || event.makerAccount === account || event.takerAccount === account)
    yield* this.#events(tradesTable, filter, tradeOfRow, isAsked)
  }

  /** All events but trades, as a subscriber of the pool got them. @throws ArchiveError, LogError while iterating. */
  async *orderEvents(query: OrderEventsQuery = {}): AsyncGenerator<OrderEvent> {
    checkOptions('orderEvents', query, orderEventOptions)
    const { symbol, orderId, account } = query
    const filter: RowFilter = {
      ...range(query),
      keys: texts({ symbol }),
      numbers: [...either(['order_id'], 'orderId', orderId), ...either(['account'], 'account', account)],
    }
    const isAsked = (event: PoolEvent): event is OrderEvent =>
      event.event !== 'trade' &&
      isWithin(event, filter, symbol) &&
      (orderId === undefined || ('orderId' in event && event.orderId === orderId)) &&
      (account === undefined || ('account' in event && event.account === account))
    yield* this.#events(orderEventsTable, filter, eventOfRow, isAsked)
  }

  /** The values of factors. @throws ArchiveError, LogError while iterating. */
  async *factorValues(query: FactorValuesQuery = {}): AsyncGenerator<FactorValue> {
    checkOptions('factorValues', query, factorOptions)
    const { instrument, factor } = query
    const filter: RowFilter = { ...range(query), keys: texts({ instrument, factor }), numbers: [] }
    for await (const { columns, places } of this.#rows(factorValuesTable, filter)) {
      for (const i of places) {
        yield {
          instrument: columns['instrument']![i],
          factor: columns['factor']![i],
          value: columns['value']![i] ?? undefined,
          timestamp: columns['time_value']![i],
          timeUs: Number(columns['time']![i]),
          lsn: Number(columns['lsn']![i]),
          index: columns['entry_index']![i],
        }
      }
    }
  }

  /** The paths of a table's files, for other tools: what else is in its folder is not in the archive (yet, or any more). */
  files(table: string): string[] {
    this.#manifest = this.#read()
    return this.#manifest.parts.flatMap(({ files }) =>
      files.filter((file) => file.table === table).map((file) => path.join(this.dir, file.path)),
    )
  }

  /** What the archive holds, and what queries have read of it. */
  stats(): ArchiveStats {
    this.#manifest = this.#read()
    const { kind, firstLsn, endLsn, parts } = this.#manifest
    const files = parts.flatMap((part) => part.files)
    const rows: Record<string, number> = {}
    for (const file of files) rows[file.table] = (rows[file.table] ?? 0) + file.rows
    const { files: filesRead, groups, groupsRead } = this.#scan.counts
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    return {
      kind,
      firstLsn,
      endLsn,
      parts: parts.length,
      files: files.length,
      bytes,
      rows,
      filesRead,
      groups,
      groupsRead,
    }
  }

  /** What is archived, and after it what only the log in the folder has, up to what was synced when that was reached. */
  async *#rows(
    table: Table,
    filter: RowFilter,
    position = { lsn: -1 },
  ): AsyncGenerator<FoundRows & { readonly state: LogState }> {
    for (;;) {
      for await (const found of this.#archived(table, filter, position))
        yield { ...found, state: this.#manifest }
      if (this.#log === undefined) return
      try {
        this.#checkLog(this.#log)
        yield* liveRows(this.#disk, this.#log, position.lsn, this.#manifest, table, filter)
        return
      } catch (error) {
        if (!this.#isArchivedSince(error, position)) throw error
      }
    }
  }

  /**
   * Whether a log could not be read because it was archived and deleted a moment ago: the archive has it by now. Nothing was given of
   * what comes after the position, since a log is read in order, and what is open stays readable.
   */
  #isArchivedSince(error: unknown, position: { readonly lsn: number }): boolean {
    const gone = ['TIDEMARK_BAD_LSN', 'TIDEMARK_ARCHIVE_GAP']
    if (!(error instanceof TidemarkError && gone.includes(error.code))) return false
    return this.#read().endLsn > position.lsn
  }

  /** @throws ArchiveError `TIDEMARK_ARCHIVE_OTHER_LOG`, `TIDEMARK_ARCHIVE_GAP`. */
  #checkLog(log: string): void {
    checkLineage(this.#manifest, listSegments(this.#disk, log), { log, archive: this.dir })
  }

  /** What is archived, and after it what only the log has. */
  async *#events<Event extends PoolEvent>(
    table: Table,
    filter: RowFilter,
    toEvent: (columns: FoundRows['columns'], i: number, instruments: InstrumentTexts) => Event,
    isAsked: (event: PoolEvent) => event is Event,
  ): AsyncGenerator<Event> {
    const position = { lsn: -1 }
    // What is durable now: more may come while this is read.
    const endLsn = this.#pool?.durableLsn
    if (!this.#pool) {
      for await (const { columns, places, state } of this.#rows(table, filter, position)) {
        const instruments = new InstrumentTexts(state.instruments)
        for (const i of places) yield toEvent(columns, i, instruments)
      }
      return
    }
    for (;;) {
      for await (const { columns, places } of this.#archived(table, filter, position)) {
        const instruments = new InstrumentTexts(this.#manifest.instruments)
        for (const i of places) yield toEvent(columns, i, instruments)
      }
      if (endLsn === undefined || position.lsn >= endLsn) return
      try {
        for await (const event of this.#pool.subscribe({ from: position.lsn, to: endLsn })) {
          if (isAsked(event)) yield event
        }
        return
      } catch (error) {
        if (!this.#isArchivedSince(error, position)) throw error
      }
    }
  }

  /**
   * The rows that a filter asks for after `position`, part by part; moves the position on. A manifest that is read anew may
   * name other files for the same records, so only the position says what was given.
   */
  async *#archived(table: Table, filter: RowFilter, position: { lsn: number }): AsyncGenerator<FoundRows> {
    for (;;) {
      const part = this.#manifest.parts.find(({ endLsn }) => endLsn > position.lsn)
      if (part) {
        yield* this.#rowsOf(part, table, filter, position)
        continue
      }
      // It names all up to its end, also where the last records made no row.
      position.lsn = Math.max(position.lsn, this.#manifest.endLsn)
      this.#manifest = this.#read()
      if (this.#manifest.endLsn <= position.lsn) return
    }
  }

  async *#rowsOf(
    part: ArchivePart,
    table: Table,
    filter: RowFilter,
    position: { lsn: number },
  ): AsyncGenerator<FoundRows> {
    let open: ReturnType<PartScan['open']>
    try {
      open = this.#scan.open(part, table, filter)
    } catch (error) {
      if (!isGone(error)) throw error
      // A compaction put other files in their place.
      const before = this.#manifest
      this.#manifest = this.#read()
      if (this.#manifest.parts.some(({ firstLsn, endLsn }) => isSame(part, firstLsn, endLsn))) {
        this.#manifest = before
        throw error
      }
      return
    }
    yield* this.#scan.rows(open, position.lsn)
    position.lsn = part.endLsn
  }

  #read(): Manifest {
    const manifest = readManifest(this.#disk, this.dir)
    if (manifest) return manifest
    // A pool that has yet to seal its first segment has all of it in its log.
    if (this.#pool) return emptyManifest('pool', this.#pool.recovery.firstLsn)
    if (this.#log !== undefined) {
      const kind = kindIn(this.#disk, this.#log)
      if ((kind === 'pool' || kind === 'factors') && firstLsnOf(this.#disk, this.#log) === 0)
        return emptyManifest(kind, 0)
    }
    throw new ArchiveError('TIDEMARK_ARCHIVE_MISSING', `There is no archive in ${this.dir}.`, {
      dir: this.dir,
    })
  }
}

function isSame(part: ArchivePart, firstLsn: number, endLsn: number): boolean {
  return part.firstLsn === firstLsn && part.endLsn === endLsn
}

function isGone(error: unknown): boolean {
  return error instanceof LogError && errnoOf(error.cause) === 'ENOENT'
}

function range({ from, to }: TimeRange): Pick<RowFilter, 'fromUs' | 'toUs'> {
  return {
    fromUs: from === undefined ? Number.NEGATIVE_INFINITY : microseconds('from', from),
    toUs: to === undefined ? Number.POSITIVE_INFINITY : microseconds('to', to),
  }
}

function texts(keys: Readonly<Record<string, unknown>>): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [column, text] of Object.entries(keys)) {
    if (text === undefined) continue
    if (typeof text !== 'string') throw badQuery(column, text, 'a text')
    found[column] = text
  }
  return found
}

function either(columns: readonly string[], option: string, value: number | undefined): RowFilter['numbers'] {
  if (value === undefined) return []
  if (!Number.isSafeInteger(value) || value < 0) throw badQuery(option, value, 'a whole number')
  return [{ columns, value }]
}

function badQuery(option: string, value: unknown, allowed: string): ArchiveError {
  return new ArchiveError('TIDEMARK_ARCHIVE_QUERY', `${option} is ${shown(value)}; use ${allowed}.`, {
    option,
    value,
  })
}

function isWithin(
  { symbol, timeUs }: { readonly symbol: string; readonly timeUs: number },
  { fromUs, toUs }: RowFilter,
  asked: string | undefined,
): boolean {
  return (asked === undefined || symbol === asked) && timeUs >= fromUs && timeUs < toUs
}
