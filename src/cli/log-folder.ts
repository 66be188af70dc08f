import { errnoOf } from '../base/errno.js'
import { factorRecordType } from '../factors/index.js'
import { jobRecordTypes } from '../jobs/index.js'
import { LogError, listLogFiles, NodeDisk, SalvageReader } from '../log/index.js'
import { groupType } from '../pool/index.js'
import { exitCodes } from './exit-codes.js'
import { CliFailure, inputFailure } from './failure.js'

/** What a log is of, and which commands read it. */
const kinds = {
  pool: { text: 'a matching pool', command: 'tidemark log' },
  jobs: { text: 'a job queue', command: 'tidemark jobs' },
  factors: { text: 'a factor engine', command: 'tidemark factors' },
} as const
export type LogKind = keyof typeof kinds

const kindOfType = new Map<number, LogKind>([
  [groupType, 'pool'],
  [jobRecordTypes.event, 'jobs'],
  [jobRecordTypes.base, 'jobs'],
  [factorRecordType, 'factors'],
])

/** @throws CliFailure (bad input) when a folder is not there or holds no log; LogError when it can't be read. */
export function requireLog(dir: string): void {
  if (!holdsLog(dir)) throw inputFailure(`There is no log in ${dir}.`)
}

/**
 * For what only fits the log of one kind; an empty log fits all.
 *
 * @throws CliFailure (bad input) as `requireLog`, and `TIDEMARK_LOG_KIND` when the log is of another kind.
 */
export async function requireLogOf(dir: string, kind: LogKind): Promise<void> {
  requireLog(dir)
  await checkKind(dir, kind)
}

/** For what may also begin a log. @throws CliFailure `TIDEMARK_LOG_KIND` when there is one of another kind. */
export async function requireNoOther(dir: string, kind: LogKind): Promise<void> {
  if (holdsFiles(dir)) await checkKind(dir, kind)
}

async function checkKind(dir: string, kind: LogKind): Promise<void> {
  const found = await kindOf(dir)
  if (found === undefined || found === kind) return
  const { text, command } = kinds[found]
  throw new CliFailure(
    'TIDEMARK_LOG_KIND',
    `${dir} is the folder of ${text}, not of ${kinds[kind].text}. "${command}" reads it.`,
    exitCodes.badInput,
    { dir, kind: found, expected: kind },
  )
}

/** What the first record that can be read is of; undefined when there is none, or of no kind that is known here. */
export async function kindOf(dir: string): Promise<LogKind | undefined> {
  for await (const { type } of new SalvageReader(dir)) return kindOfType.get(type)
  return undefined
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
