import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { reasonText, StoreError } from '../errors.js'
import type { Rows } from '../schema/columns.js'
import { postgresDialect } from '../schema/dialect.js'
import { copyPieces } from './copy-binary.js'
import { requirePackage } from './packages.js'
import {
  inTransaction,
  type QueryResult,
  type SqlValue,
  type StoreTarget,
  type TargetOptions,
} from './target.js'
import { decimalText, timeText, wholeNumber } from './values.js'

/** What is used of `pg` and of `pg-copy-streams`. */
interface Pg {
  readonly Client: new (config: Record<string, unknown>) => Client
}
interface Client {
  connect(): Promise<void>
  query(config: { text: string; values: readonly SqlValue[]; types: TypeParsers }): Promise<Result>
  query(stream: Writable): Writable
  on(event: 'error', listener: (error: Error) => void): void
  end(): Promise<void>
}
interface Result {
  readonly rowCount: number | null
  readonly fields: readonly { readonly name: string }[]
  readonly rows: readonly Record<string, unknown>[]
}
interface TypeParsers {
  getTypeParser(oid: number): (text: string) => unknown
}
type CopyFrom = (sql: string) => Writable

export interface PostgresDriver {
  readonly pg: Pg
  readonly copyFrom: CopyFrom
}

/** "tidemark" in hexadecimal: who holds this advisory lock is the one writer of a database's store. */
const lockKey = '0x746964656d61726b'
const install = 'pg pg-copy-streams'

/** Types of PostgreSQL by their numbers, those that are not left as texts. */
const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === 't',
  20: (text) => wholeNumber(BigInt(text)),
  21: Number,
  23: Number,
  700: Number,
  701: Number,
  1700: decimalText,
  1114: (text) => timeOf(text),
  1184: (text) => timeOf(text),
  114: (text) => JSON.parse(text),
  3802: (text) => JSON.parse(text),
}
const typeParsers: TypeParsers = { getTypeParser: (oid) => parsers[oid] ?? ((text) => text) }

/** A store in a database of PostgreSQL. One process at a time writes; others may read. */
export class PostgresTarget implements StoreTarget {
  readonly name: string
  readonly dialect = postgresDialect
  readonly #driver: PostgresDriver
  readonly #address: string
  readonly #writer: Client
  readonly #failure: { error: unknown }
  #reader: Promise<Client> | undefined
  /** The query before: a connection takes one at a time. */
  #before: Promise<unknown> = Promise.resolve()

  /** @throws StoreError */
  static async open(address: string, { readOnly, driver }: TargetOptions): Promise<PostgresTarget> {
    const pg = (driver ?? {
      pg: requirePackage('pg', 'PostgreSQL', install),
      copyFrom: (requirePackage('pg-copy-streams', 'PostgreSQL', install) as { from: CopyFrom }).from,
    }) as PostgresDriver
    const failure: { error: unknown } = { error: undefined }
    const writer = await connect(pg, address, (error) => (failure.error ??= error))
    const target = new PostgresTarget(pg, address, writer, failure)
    try {
      if (!readOnly) await target.#lock()
      return target
    } catch (error) {
      await target.close()
      throw error
    }
  }

  private constructor(driver: PostgresDriver, address: string, writer: Client, failure: { error: unknown }) {
    this.#driver = driver
    this.#address = address
    this.name = shownAddress(address)
    this.#writer = writer
    this.#failure = failure
  }

  async run(sql: string, parameters: readonly SqlValue[] = []): Promise<QueryResult> {
    try {
      return resultOf(await this.#writer.query({ text: sql, values: parameters, types: typeParsers }))
    } catch (error) {
      throw this.#failed(error)
    }
  }

  transaction(work: () => Promise<void>): Promise<void> {
    return inTransaction((sql) => this.run(sql), work)
  }

  async append(rows: Rows): Promise<void> {
    try {
      const stream = this.#writer.query(
        this.#driver.copyFrom(`COPY ${rows.table} FROM STDIN (FORMAT binary)`),
      )
      const finished = once(stream, 'finish')
      // It is awaited below; until then its failure is not unhandled.
      finished.catch(() => {})
      for (const piece of copyPieces(rows)) {
        if (!stream.write(piece)) await Promise.race([once(stream, 'drain'), finished])
      }
      stream.end()
      await finished
    } catch (error) {
      throw this.#failed(error)
    }
  }

  query(sql: string, parameters: readonly SqlValue[] = []): Promise<QueryResult> {
    const result = this.#before.then(() => this.#query(sql, parameters))
    this.#before = result.catch(() => {})
    return result
  }

  async #query(sql: string, parameters: readonly SqlValue[]): Promise<QueryResult> {
    try {
      // One that was lost, or not made, is made anew.
      this.#reader ??= connect(this.#driver, this.#address, () => (this.#reader = undefined))
      const reader = await this.#reader.catch((error) => {
        this.#reader = undefined
        throw error
      })
      return resultOf(await reader.query({ text: sql, values: parameters, types: typeParsers }))
    } catch (cause) {
      if (cause instanceof StoreError) throw cause
      throw new StoreError(
        'TIDEMARK_STORE_QUERY',
        `The query failed: ${reasonText(cause)}.`,
        { sql },
        { cause },
      )
    }
  }

  async close(): Promise<void> {
    const reader = await this.#reader?.catch(() => undefined)
    await reader?.end().catch(() => {})
    await this.#writer.end().catch(() => {})
  }

  async #lock(): Promise<void> {
    const { rows } = await this.run(`SELECT pg_try_advisory_lock(x'${lockKey.slice(2)}'::bigint) AS held`)
    if (rows[0]?.['held'] === true) return
    throw new StoreError(
      'TIDEMARK_STORE_IN_USE',
      `Another process syncs into ${this.name}: one at a time can. Stop that one first.`,
      { target: this.name },
    )
  }

  /** A connection that was lost says why; what is called on it afterwards only says that it is closed. */
  #failed(error: unknown): StoreError {
    const cause = this.#failure.error ?? error
    return new StoreError(
      'TIDEMARK_STORE_WRITE',
      `PostgreSQL could not write to ${this.name}: ${reasonText(cause)}.`,
      { target: this.name, sqlState: (cause as { code?: unknown }).code },
      { cause },
    )
  }
}

async function connect(
  { pg }: PostgresDriver,
  address: string,
  onLost: (error: Error) => void,
): Promise<Client> {
  try {
    const client = new pg.Client({
      connectionString: withTlsOf(address),
      application_name: 'tidemark store',
      connectionTimeoutMillis: 10_000,
    })
    client.on('error', onLost)
    await client.connect()
    await client.query({ text: "SET TIME ZONE 'UTC'", values: [], types: typeParsers })
    return client
  } catch (cause) {
    if (cause instanceof StoreError) throw cause
    const name = shownAddress(address)
    throw new StoreError(
      'TIDEMARK_STORE_UNREACHABLE',
      `No connection to ${name}: ${connectionReason(cause)}.`,
      { target: name, sqlState: (cause as { code?: unknown }).code },
      { cause },
    )
  }
}

/**
 * The address with what makes `pg` read `sslmode` as PostgreSQL's own programs do: by itself it takes each mode for `verify-full`,
 * and warns that it will not.
 *
 * @throws StoreError `TIDEMARK_STORE_TARGET` for a mode that would not be kept.
 */
function withTlsOf(address: string): string {
  const parameters = new URLSearchParams(address.split('?', 2)[1])
  const mode = parameters.get('sslmode')
  if (mode === null || parameters.has('uselibpqcompat')) return address
  const target = shownAddress(address)
  if (!tlsModes.includes(mode)) {
    throw new StoreError(
      'TIDEMARK_STORE_TARGET',
      `The address of ${target} has sslmode=${mode}; use ${tlsModes.join(', ')}.`,
      { target, sslmode: mode },
    )
  }
  if (mode === 'verify-ca' && !parameters.has('sslrootcert')) {
    throw new StoreError(
      'TIDEMARK_STORE_TARGET',
      `The address of ${target} has sslmode=verify-ca without sslrootcert: any authority would do. Name the file of yours, or use verify-full.`,
      { target, sslmode: mode },
    )
  }
  return `${address}&uselibpqcompat=true`
}

/** Modes of PostgreSQL that `pg` keeps; `allow` and `prefer` go back to a connection without TLS, which it does not. */
const tlsModes = ['disable', 'require', 'verify-ca', 'verify-full']

/** Of several addresses that were tried for one name, the last failure; some errors have no words of their own. */
function connectionReason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonText(error.errors.at(-1))
  return reasonText(error) || String((error as { code?: unknown }).code ?? 'it was refused')
}

/** The address without its password. */
function shownAddress(address: string): string {
  try {
    const url = new URL(address)
    return `${url.protocol}//${url.host}${url.pathname}`
  } catch {
    return 'the database'
  }
}

function resultOf({ fields, rows, rowCount }: Result): QueryResult {
  return { columns: fields.map(({ name }) => name), rows, changed: rowCount ?? 0 }
}

/** "2012-06-21 13:30:00.5+00" in the form of the other targets. */
function timeOf(text: string): string {
  const [, day, time, fraction = ''] = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?/.exec(text) ?? []
  if (day === undefined) return text
  const micros = BigInt(Date.parse(`${day}T${time}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0'))
  return timeText(micros)
}
