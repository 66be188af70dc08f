import { errnoOf } from '../base/errno.js'
import { kindIn, LogError, listLogFiles, NodeDisk } from '../log/index.js'
import { exitCodes } from './exit-codes.js'
import { CliFailure, inputFailure } from './failure.js'

/** What a log is of, and which commands read it. */
const kinds: ReadonlyMap<string, { readonly text: string; readonly command: string }> = new Map([
  ['pool', { text: 'a matching pool', command: 'tidemark log' }],
  ['jobs', { text: 'a job queue', command: 'tidemark jobs' }],
  ['factors', { text: 'a factor engine', command: 'tidemark factors' }],
])

/** @throws CliFailure (bad input) when a folder is not there or holds no log; LogError when it can't be read. */
export function requireLog(dir: string): void {
  if (!holdsLog(dir)) throw inputFailure(`There is no log in ${dir}.`)
}

/**
 * For what only fits the log of one kind, which its segments name.
 *
 * @throws CliFailure (bad input) as `requireLog`, and `TIDEMARK_LOG_KIND` when the log is of another kind.
 */
export function requireLogOf(dir: string, kind: string): void {
  requireLog(dir)
  checkKind(dir, kind)
}

/** For what may also begin a log. @throws CliFailure `TIDEMARK_LOG_KIND` when there is one of another kind. */
export function requireNoOther(dir: string, kind: string): void {
  if (holdsFiles(dir)) checkKind(dir, kind)
}

function checkKind(dir: string, expected: string): void {
  const found = kindIn(new NodeDisk(), dir)
  if (found === undefined || found === expected) return
  const { text, command } = kinds.get(found) ?? { text: `a log of kind "${found}"`, command: 'tidemark log' }
  throw new CliFailure(
    'TIDEMARK_LOG_KIND',
    `${dir} is the folder of ${text}, not of ${kinds.get(expected)?.text ?? `a log of kind "${expected}"`}. "${command}" reads it.`,
    exitCodes.badInput,
    { dir, found, expected },
  )
}

function holdsLog(dir: string): boolean {
  try {
    return listLogFiles(new NodeDisk(), dir).length > 0
  } catch (error) {
    const errno = error instanceof LogError ? errnoOf(error.cause) : undefined
    if (errno === 'ENOENT') throw inputFailure(`There is no folder ${dir}.`)
    if (errno === 'ENOTDIR') throw inputFailure(`${dir} is not a folder; give the folder of a log.`)
    throw error
  }
}

/** As `holdsLog`, where the folder need not be there: what is wrong with its path, its opening says. */
function holdsFiles(dir: string): boolean {
  try {
    return listLogFiles(new NodeDisk(), dir).length > 0
  } catch {
    return false
  }
}
