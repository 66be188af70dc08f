import * as path from 'node:path'
import { errnoOf } from '../base/errno.js'
import { LogError, NodeDisk, ReaderCursor, readerNameOf } from '../log/index.js'
import { StoreError } from './errors.js'

const denied = new Set(['EACCES', 'EPERM', 'EROFS'])

/** The name of the cursor that a store has on its log unless it is given another: one for each target. */
export function storeCursorName(to: string): string {
  const [, place] = /^[a-z][a-z0-9+.-]+:\/\/([^?]*)/i.exec(to) ?? []
  if (place === undefined) return readerNameOf('store', path.basename(to), path.resolve(to))
  // Two users of one database have tables of their own; a password makes no difference, and must not be found in a name.
  const [, user = '', , database = ''] = /^(?:([^:@]*)(:[^@]*)?@)?(.*)$/.exec(place) ?? []
  return readerNameOf('store', database, `${user}@${database}`)
}

/** Takes a store's cursor on a log. @throws StoreError `TIDEMARK_STORE_CURSOR`; LogError `TIDEMARK_CURSOR_IN_USE`, `TIDEMARK_LOG_IO`. */
export async function openStoreCursor(dir: string, name: string, lsn: number): Promise<ReaderCursor> {
  try {
    return await ReaderCursor.open(new NodeDisk(), dir, name, lsn)
  } catch (error) {
    if (!(error instanceof LogError && denied.has(errnoOf(error.cause) ?? ''))) throw error
    throw new StoreError(
      'TIDEMARK_STORE_CURSOR',
      `The cursor ${name} can't be written into ${dir}, which this process may not write to. Give it the right, or store without a cursor (--no-cursor); then the log is not kept for the store.`,
      { dir, cursor: name },
      { cause: error.cause },
    )
  }
}
