import * as path from 'node:path'
import { type Disk, makeFolder } from '../../log/index.js'
import { fileName } from '../folder.js'
import type { ArchivePart } from '../manifest.js'
import type { ParquetPackages } from '../packages.js'
import { FileWriter, type UnnamedFile } from '../parquet/write-file.js'
import { dayText } from '../tables/columns.js'
import type { LogRows } from '../tables/log-rows.js'

/**
 * Writes the files of a part: one for each table and day. They have their names when this resolves, and belong to the archive
 * when a manifest names them.
 *
 * @throws LogError `TIDEMARK_LOG_IO`; ArchiveError `TIDEMARK_ARCHIVE_DIFFERS`. What has its name already is removed by who
 *   next opens the archive for writing.
 */
export async function writePart(
  packages: ParquetPackages,
  disk: Disk,
  archive: string,
  rows: LogRows,
  range: { readonly firstLsn: number; readonly endLsn: number },
): Promise<ArchivePart> {
  const writer = new FileWriter(packages, disk, rows.texts)
  const name = fileName(range.firstLsn, range.endLsn)
  const written: UnnamedFile[] = []
  try {
    for (const set of rows.sets) {
      for (const [day, places] of set.daysSorted(rows.texts)) {
        const folder = `${set.table.name}/date=${dayText(day)}`
        makeFolder(disk, path.join(archive, folder))
        written.push(await writer.write(archive, folder, name, set, places))
      }
    }
    for (const { file, name } of written) file.publish(name)
  } catch (error) {
    for (const { file } of written) file.discard()
    throw error
  }
  return { ...range, files: written.map(({ entry }) => entry) }
}
