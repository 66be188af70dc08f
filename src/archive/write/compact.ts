import * as path from 'node:path'
import { attempt, type Disk, makeFolder, NodeDisk } from '../../log/index.js'
import { damaged } from '../errors.js'
import { fileName, withArchive } from '../folder.js'
import { type ArchiveFile, type ArchivePart, type Manifest, writeManifest } from '../manifest.js'
import { type ParquetPackages, parquetPackages } from '../packages.js'
import { ParquetFile } from '../parquet/read-file.js'
import { addRowsOf } from '../parquet/rows-of-file.js'
import { FileWriter, type UnnamedFile } from '../parquet/write-file.js'
import { RowSet, type Table } from '../tables/columns.js'
import { keysOf } from '../tables/row-keys.js'
import { tablesOf } from '../tables/tables-of.js'
import type { RowKeys } from '../tables/text-keys.js'

/** Parts are merged until a table has so many rows, which are in memory meanwhile. */
const mergedRowsMax = 1_000_000

/** What `compactArchive` is called with. */
export interface CompactOptions {
  /** The folder of the archive. */
  readonly archive: string
  /** Asked between two merges: whether to end early. */
  readonly stopped?: (() => boolean) | undefined
  /** Called after each merged part with how many are done, of how many. */
  readonly onProgress?:
    | ((progress: { readonly partsDone: number; readonly parts: number }) => void)
    | undefined
  /** How long to wait while an archiver is at work. Default 60 s. */
  readonly waitMs?: number | undefined
  /** How many rows of its largest table a merged part may have. @internal */
  readonly mergedRows?: number | undefined
  /** The disk that has the files; by default the machine's own. For tests. @internal */
  readonly disk?: Disk | undefined
}

/** What a compaction did. */
export interface CompactReport {
  /** How many parts there were. */
  readonly partsBefore: number
  /** How many parts there are. */
  readonly partsAfter: number
  /** How many files there were. */
  readonly filesBefore: number
  /** How many files there are. */
  readonly filesAfter: number
  /** The size of the files before, in bytes. */
  readonly bytesBefore: number
  /** The size of the files now, in bytes. */
  readonly bytesAfter: number
}

const defaultWaitMs = 60_000

/**
 * Merges small parts of an archive into larger ones, so that queries open fewer files. Each merge is written, synced, read
 * back and compared before the manifest names it, and only then the files that it replaces are removed. Between two merges
 * an archiver may take its turn.
 *
 * @throws ArchiveError `TIDEMARK_ARCHIVE_DAMAGED` when a file is not what it was, and others as of `archiveLog`; LogError
 *   `TIDEMARK_LOG_IO`. What was merged before stays.
 */
export async function compactArchive(options: CompactOptions): Promise<CompactReport | undefined> {
  const { archive, disk = new NodeDisk(), waitMs = defaultWaitMs, mergedRows = mergedRowsMax } = options
  const packages = await parquetPackages()
  let before: Manifest | undefined
  let after: Manifest | undefined
  for (let more = true; more && !options.stopped?.(); ) {
    more = await withArchive(disk, archive, waitMs, async (manifest) => {
      before ??= manifest
      after = manifest
      const group = manifest && firstGroup(manifest.parts, mergedRows)
      if (!manifest || !group) return false
      after = await mergeGroup(packages, disk, archive, manifest, group)
      options.onProgress?.({ partsDone: after.parts.length, parts: before!.parts.length })
      return true
    })
  }
  if (!before || !after) return undefined
  return {
    partsBefore: before.parts.length,
    partsAfter: after.parts.length,
    filesBefore: filesOf(before).length,
    filesAfter: filesOf(after).length,
    bytesBefore: bytesOf(before),
    bytesAfter: bytesOf(after),
  }
}

/** The first parts beside each other that are worth merging; `undefined` when there are none. */
function firstGroup(parts: readonly ArchivePart[], rowsMax: number): ArchivePart[] | undefined {
  let group: ArchivePart[] = []
  for (const part of parts) {
    if (mostRows([...group, part]) > rowsMax) {
      if (group.length > 1) return group
      group = []
    }
    group.push(part)
  }
  return group.length > 1 ? group : undefined
}

/** The rows of the table that has most of them. */
function mostRows(parts: readonly ArchivePart[]): number {
  const rows = new Map<string, number>()
  for (const { files } of parts) {
    for (const { table, rows: count } of files) rows.set(table, (rows.get(table) ?? 0) + count)
  }
  return Math.max(0, ...rows.values())
}

async function mergeGroup(
  packages: ParquetPackages,
  disk: Disk,
  archive: string,
  manifest: Manifest,
  group: readonly ArchivePart[],
): Promise<Manifest> {
  const range = { firstLsn: group[0]!.firstLsn, endLsn: group.at(-1)!.endLsn }
  const name = fileName(range.firstLsn, range.endLsn)
  const keys = keysOf(manifest)
  const writer = new FileWriter(packages, disk, keys)
  const written: UnnamedFile[] = []
  try {
    for (const table of tablesOf(manifest.kind)) {
      for (const [folder, files] of byFolder(group, table)) {
        const rows = new RowSet(table)
        for (const file of files) await addChecked(packages, disk, archive, file, rows, keys)
        makeFolder(disk, path.join(archive, folder))
        for (const places of rows.daysSorted(keys).values())
          written.push(await writer.write(archive, folder, name, rows, places))
      }
    }
    for (const { file, name } of written) file.publish(name)
  } catch (error) {
    for (const { file } of written) file.discard()
    throw error
  }
  const merged: ArchivePart = { ...range, files: written.map(({ entry }) => entry) }
  const at = manifest.parts.indexOf(group[0]!)
  const after = { ...manifest, parts: manifest.parts.toSpliced(at, group.length, merged) }
  writeManifest(disk, archive, after)
  for (const file of group.flatMap(({ files }) => files)) {
    const replaced = path.join(archive, file.path)
    attempt('remove', replaced, () => disk.remove(replaced))
  }
  return after
}

/** The files of a table in the order of the log, by the folder of their day. */
function byFolder(group: readonly ArchivePart[], table: Table): Map<string, ArchiveFile[]> {
  const folders = new Map<string, ArchiveFile[]>()
  for (const { files } of group) {
    for (const file of files) {
      if (file.table !== table.name) continue
      const folder = path.posix.dirname(file.path)
      const before = folders.get(folder)
      if (before) before.push(file)
      else folders.set(folder, [file])
    }
  }
  return folders
}

/** Damage must not be merged into a file whose checksum then fits it. */
async function addChecked(
  packages: ParquetPackages,
  disk: Disk,
  archive: string,
  entry: ArchiveFile,
  rows: RowSet,
  keys: RowKeys,
): Promise<void> {
  const file = new ParquetFile(packages, disk, path.join(archive, entry.path))
  try {
    if (file.checksum() !== entry.sha256)
      throw damaged(file.path, 'its bytes are not those that were archived')
    await addRowsOf(file, rows, (texts) => keys.keyOf(texts))
  } finally {
    file.close()
  }
}

function filesOf(manifest: Manifest): ArchiveFile[] {
  return manifest.parts.flatMap(({ files }) => files)
}

function bytesOf(manifest: Manifest): number {
  return filesOf(manifest).reduce((sum, { bytes }) => sum + bytes, 0)
}
