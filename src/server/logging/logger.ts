/** What a server writes its log to. Loggers of pino fit. */
export interface ServerLogger {
  /** Whether lines of a level are wanted: `debug`, `info`, `warn` or `error`. */
  isLevelEnabled(level: string): boolean
  /** Each request that was done. */
  debug(fields: object, message: string): void
  /** What is refused, connections, what administrators do, the beginning and the end. */
  info(fields: object, message: string): void
  /** Connections that the server cut. */
  warn(fields: object, message: string): void
  /** What failed inside the server. */
  error(fields: object, message: string): void
}
