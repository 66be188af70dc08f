import * as fs from 'node:fs'
import { badSetting, checkOptions, optionNames } from '../../log/index.js'
import { loadPackage } from '../packages.js'
import type { ServerLogger } from './logger.js'

const levels = ['debug', 'info', 'warn', 'error'] as const

/** How much a log says: lines of this level and of those after it. */
export type LogLevel = (typeof levels)[number]

/** How a log is opened. */
export interface LoggerOptions {
  /** Lines of this level and of those above it. */
  readonly level: LogLevel
  /** A file that lines are added to, of mode 600 when it is new. Default: standard error. */
  readonly file?: string | undefined
  /** What `import('pino')` gives, for programs in which tidemark can't find it by itself. */
  readonly pino?: unknown
}

/** A log that is open. */
export interface OpenLogger extends ServerLogger {
  /** Writes what waits, and closes the file. Resolves also when that failed, which is a warning of the process. */
  close(): Promise<void>
}

interface Destination {
  on(event: 'error', listener: (error: Error) => void): void
  on(event: 'close', listener: () => void): void
  end(): void
}

interface Pino {
  (options: object, destination: Destination): ServerLogger
  destination(options: object): Destination
  readonly stdTimeFunctions: { readonly isoTime: () => string }
}

const standardError = 2
/** What may wait for a file that takes nothing; lines after that are lost. */
const waitingBytesMax = 16 << 20

/**
 * Opens a log in lines of JSON, written by pino: give it to `VenueServer.open` as `logger`, and close it after the server.
 *
 * @throws ServerError `TIDEMARK_SERVER_PACKAGE_MISSING` where pino is not installed; LogError `TIDEMARK_BAD_SETTING` for a level that there is
 *   not, or a file that can't be opened.
 */
export function openLogger(options: LoggerOptions): OpenLogger {
  checkOptions('openLogger', options, optionNames<LoggerOptions>({ level: true, file: true, pino: true }))
  const { level, file } = options
  if (!levels.includes(level)) throw badSetting('level', level, `one of ${levels.join(', ')}`)
  const pino = pinoOf(options.pino ?? loadPackage('pino'))
  const destination = pino.destination({
    dest: file === undefined ? standardError : openFile(file),
    sync: false,
    maxLength: waitingBytesMax,
  })
  let isReported = false
  let closed: Promise<void> | undefined
  destination.on('error', (error) => {
    // One line that can't be written is followed by others.
    if (!isReported) process.emitWarning(`The log of the server can't be written: ${error.message}`)
    isReported = true
  })
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
    },
    destination,
  )
  return {
    isLevelEnabled: (name) => logger.isLevelEnabled(name),
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    close: () => {
      closed ??= new Promise((resolve) => {
        destination.on('close', resolve)
        destination.on('error', () => resolve())
        destination.end()
      })
      return closed
    },
  }
}

function pinoOf(module: unknown): Pino {
  const { default: inner = module } = module as { default?: unknown }
  return inner as Pino
}

function openFile(file: string): number {
  try {
    return fs.openSync(file, 'a', 0o600)
  } catch (error) {
    throw badSetting('file', file, `a file that can be written (${(error as NodeJS.ErrnoException).code})`)
  }
}
