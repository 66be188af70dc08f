import * as path from 'node:path'
import { assert } from '../../base/assert.js'
import { call, run, runNow, type Steps } from '../disk/atomic-file.js'
import type { Disk } from '../disk/disk.js'
import type { Ownership } from '../disk/ownership.js'
import {
  isPreallocatedName,
  isRecycledName,
  listSegmentNames,
  readSegmentHeader,
  recycledName,
  segmentHeaderBytes,
  segmentNameLsn,
  segmentPath,
} from '../format/segment.js'

/** So many files of removed segments are kept for the next ones: as many as one checkpoint frees under default settings. */
export const recycledSegmentsMax = 4

/** Segments to remove. */
export interface SegmentRemoval {
  /** Their first LSNs, ascending. */
  readonly firstLsns: readonly number[]
  /** Where the log begins without them. */
  readonly firstLsn: number
}

/**
 * The segments that are wholly below `limitLsn`, never the last one, and none whose last record continues in its successor:
 * what is left begins with a whole record. `undefined` when there is none.
 */
export function planRemoval(disk: Disk, directory: string, limitLsn: number): SegmentRemoval | undefined {
  const firstLsns = listSegmentNames(disk, directory).map((name) => segmentNameLsn(name)!)
  let count = firstLsns.findLastIndex((lsn, i) => i === 0 || lsn <= limitLsn)
  while (count > 0 && beginsWithinRecord(disk, directory, firstLsns[count]!)) count--
  if (count <= 0) return undefined
  const firstLsn = firstLsns[count]
  assert(
    firstLsn !== undefined && firstLsn <= limitLsn,
    'a removal leaves the last segment and all above its limit',
    () => ({
      firstLsn,
      limitLsn,
    }),
  )
  return { firstLsns: firstLsns.slice(0, count), firstLsn }
}

/** Removes the segments of an open log, one removal at a time, and knows where the log begins. */
export class SegmentRemover {
  readonly #disk: Disk
  readonly #directory: string
  readonly #segmentBytes: number
  readonly #check: () => void
  #firstLsn: number
  #removing: Promise<number> | undefined

  /** `check` is called before each file goes; when it throws, the rest stays. */
  constructor(options: {
    disk: Disk
    directory: string
    segmentBytes: number
    firstLsn: number
    check: () => void
  }) {
    this.#disk = options.disk
    this.#directory = options.directory
    this.#segmentBytes = options.segmentBytes
    this.#firstLsn = options.firstLsn
    this.#check = options.check
  }

  /** The first LSN that is in the log and not about to be removed. */
  get firstLsn(): number {
    return this.#firstLsn
  }

  /**
   * Removes the segments below what `limit` says when it is this call's turn, and those that a call before it failed to
   * remove. Resolves with the first LSN that is left, when the others are gone.
   *
   * @throws as `removeSegments`, and what `limit` throws.
   */
  async removeBelow(limit: () => number | Promise<number>): Promise<number> {
    while (this.#removing) await this.#removing.catch(() => {})
    this.#removing = this.#remove(limit).finally(() => {
      this.#removing = undefined
    })
    return this.#removing
  }

  async #remove(limit: () => number | Promise<number>): Promise<number> {
    // A removal that failed is completed: the log begins after it already.
    const limitLsn = Math.max(await limit(), this.#firstLsn)
    const removal = planRemoval(this.#disk, this.#directory, limitLsn)
    if (!removal) return this.#firstLsn
    assert(removal.firstLsn >= this.#firstLsn, 'the beginning of the log never falls', () => ({
      from: this.#firstLsn,
      to: removal.firstLsn,
    }))
    // Before the first file goes: no reader may begin, and no cursor be made, where the log is about to be removed.
    this.#firstLsn = removal.firstLsn
    await removeSegments(this.#disk, this.#directory, removal, this.#segmentBytes, this.#check)
    return removal.firstLsn
  }

  /** Resolves when no removal is under way. */
  async idle(): Promise<void> {
    await this.#removing?.catch(() => {})
  }
}

/**
 * Removes the files that wait to be segments from the folder of a log that is closed: the next opening begins a segment of
 * its own. A failure is not reported, because everything that was appended is on disk, and the next opening removes the rest.
 */
export async function removeUnusedSegments(
  disk: Disk,
  directory: string,
  ownership: Ownership,
): Promise<void> {
  try {
    // In a folder that is another owner's by now they are its files.
    ownership.check()
    for (const name of await disk.async.list(directory)) {
      if (isPreallocatedName(name) || isRecycledName(name))
        await disk.async.remove(path.join(directory, name))
    }
  } catch {
    // The next opening removes them.
  }
}

/**
 * Removes segments, oldest first. The files of some, if they have the size of a whole segment, stay under another name,
 * for the preallocator to use again: their blocks are allocated and written already, so nothing has to be filled with
 * zeros. For event loops: freeing the blocks of one file takes the system milliseconds.
 *
 * @param check Called before each file goes; when it throws, the rest stays.
 * @throws LogError `TIDEMARK_LOG_IO`, and what `check` throws; then the newest of them are still there.
 */
export function removeSegments(
  disk: Disk,
  directory: string,
  removal: SegmentRemoval,
  segmentBytes: number,
  check: () => void = () => {},
): Promise<void> {
  return run(disk, removeEach(directory, removal, segmentBytes, check))
}

/** `removeSegments` for threads that have nothing else to do. */
export function removeSegmentsNow(
  disk: Disk,
  directory: string,
  removal: SegmentRemoval,
  segmentBytes: number,
): void {
  runNow(
    disk,
    removeEach(directory, removal, segmentBytes, () => {}),
  )
}

function* removeEach(
  directory: string,
  { firstLsns }: SegmentRemoval,
  segmentBytes: number,
  check: () => void,
): Steps<void> {
  const names = yield* call('read', directory, 'list', directory)
  let kept = names.filter(isRecycledName).length
  const renamed: string[] = []
  for (const firstLsn of firstLsns) {
    const file = segmentPath(directory, firstLsn)
    const isWhole =
      kept < recycledSegmentsMax && (yield* fileBytes(file)) === segmentHeaderBytes + segmentBytes
    check()
    if (isWhole) {
      const recycled = path.join(directory, recycledName(firstLsn))
      yield* call('rename', file, 'rename', file, recycled)
      renamed.push(recycled)
      kept++
    } else {
      yield* call('remove', file, 'remove', file)
    }
  }
  try {
    yield* call('sync', directory, 'syncDirectory', directory)
  } catch (error) {
    yield* discard(renamed)
    throw error
  }
}

/**
 * Removes files whose new names could not be synced. A second sync may report success for what the first one dropped; then
 * a power cut brings back the old name, under which the file must still be whole and not one that was made ready.
 */
function* discard(files: readonly string[]): Steps<void> {
  for (const file of files) {
    try {
      yield* call('remove', file, 'remove', file)
    } catch {
      // The failed sync is the error that is thrown.
    }
  }
}

function* fileBytes(file: string): Steps<number> {
  const handle = yield* call('open', file, 'open', file, 'read')
  try {
    return yield* call('look at', file, 'size', handle)
  } finally {
    yield* call('close', file, 'close', handle)
  }
}

function beginsWithinRecord(disk: Disk, directory: string, firstLsn: number): boolean {
  return readSegmentHeader(disk, segmentPath(directory, firstLsn))?.withinRecord === true
}
