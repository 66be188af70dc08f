import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import {
  listSegmentNames,
  segmentHeaderBytes,
  segmentNameLsn,
  segmentPath,
} from '#tidemark/log/format/segment.js'
import { FileReader, NodeDisk } from '#tidemark/log/index.js'
import type { NewEntry } from '#tidemark/replication/index.js'

/**
 * The log of a folder up to `endLsn` as entries of a replicated log: whole batches of one segment each, and about as many bytes as
 * `entryBytes` says for each.
 */
export function entriesOf(
  directory: string,
  fromLsn: number,
  endLsn: number,
  entryBytes: () => number = () => 256 * 1024,
): NewEntry[] {
  const disk = new NodeDisk()
  const firstLsns = listSegmentNames(disk, directory).map((name) => segmentNameLsn(name)!)
  const entries: NewEntry[] = []
  for (let startLsn = fromLsn; startLsn < endLsn; ) {
    const nextFirst = firstLsns.find((lsn) => lsn > startLsn) ?? endLsn
    const reader = new FileReader(disk, directory, startLsn, { known: true, chunkBytes: entryBytes() })
    const chunk = reader.nextSync(Math.min(endLsn, nextFirst))!
    const bytes = Uint8Array.from(chunk.bytes)
    reader.close()
    entries.push({
      startLsn,
      bytes,
      ...(firstLsns.includes(startLsn) && { segmentHeader: headerOf(directory, startLsn) }),
    })
    startLsn = chunk.endLsn
  }
  return entries
}

function headerOf(directory: string, firstLsn: number): Uint8Array {
  return Uint8Array.from(readFileSync(segmentPath(directory, firstLsn)).subarray(0, segmentHeaderBytes))
}

/** The content of each segment of a folder, by name, as bytes and a hash: header and batches, without what stands after them. */
export function segmentContents(directory: string, endLsn: number): Map<string, string> {
  const names = listSegmentNames(new NodeDisk(), directory).filter((name) => segmentNameLsn(name)! < endLsn)
  return new Map(
    names.map((name, i) => {
      const firstLsn = segmentNameLsn(name)!
      const next = names[i + 1]
      const last = next === undefined ? endLsn : segmentNameLsn(next)!
      const bytes = readFileSync(path.join(directory, name)).subarray(0, segmentHeaderBytes + last - firstLsn)
      return [name, `${bytes.byteLength} ${createHash('sha1').update(bytes).digest('hex')}`]
    }),
  )
}
