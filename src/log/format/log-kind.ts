import * as path from 'node:path'
import { attempt } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import { badSetting, LogError } from '../errors.js'
import { isPreallocatedName, readSegmentHeader, type SegmentHeader, segmentNameLsn } from './segment.js'

/** What those expect who read the log of every kind, and change nothing that only one kind has. */
export const anyKind = 'any'

/** The kind of a log that is opened without one. */
export const defaultKind = 'log'

/** Checks the name of a kind: it must fit into a segment's header. @throws LogError `TIDEMARK_BAD_SETTING`. */
export function checkKind(kind: unknown): string {
  if (typeof kind === 'string' && /^[a-z0-9-]{1,16}$/.test(kind) && kind !== anyKind) return kind
  throw badSetting('kind', kind, `1 to 16 characters of a-z, 0-9 and "-", other than "${anyKind}"`)
}

/** The kind of the log in a folder, by the first header that can be read; `undefined` for a folder without a log. */
export function kindIn(disk: Disk, directory: string): string | undefined {
  const names = attempt('read', directory, () => disk.list(directory))
  for (const name of names
    .filter((each) => segmentNameLsn(each) !== undefined || isPreallocatedName(each))
    .sort()) {
    const header = headerOf(disk, path.join(directory, name))
    if (header) return header.kind
  }
  return undefined
}

/** A file that is gone by now, or can't be read, says nothing here: the opening of the log reports it. */
function headerOf(disk: Disk, file: string): SegmentHeader | undefined {
  try {
    return readSegmentHeader(disk, file)
  } catch (error) {
    if (error instanceof LogError && error.code === 'TIDEMARK_LOG_IO') return undefined
    throw error
  }
}

/**
 * Refuses a folder with a log of another kind. It changes nothing, and comes before anything that does.
 *
 * @throws LogError `TIDEMARK_LOG_KIND`; `TIDEMARK_LOG_FORMAT` for a log of another format.
 */
export function requireKind(disk: Disk, directory: string, expected: string): void {
  const found = kindIn(disk, directory)
  if (found !== undefined && expected !== anyKind) compareKind(directory, found, expected)
}

/** @throws LogError `TIDEMARK_LOG_KIND` when the two differ. */
export function compareKind(directory: string, found: string, expected: string): void {
  if (found === expected) return
  throw new LogError(
    'TIDEMARK_LOG_KIND',
    `${directory} holds a log of kind "${found}", and "${expected}" is expected. Nothing was changed; give the folder of a log of that kind.`,
    { dir: directory, found, expected },
  )
}
