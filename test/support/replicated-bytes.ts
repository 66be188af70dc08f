import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import {
  decodeSegmentHeader,
  encodeHeaderCopy,
  encodeSegmentHeader,
  listSegmentNames,
  readSegmentHeader,
  segmentHeaderBytes,
  segmentName,
  segmentNameLsn,
  segmentPath,
} from '#tidemark/log/format/segment.js'
import type { ReplicatedEntry, ReplicatedLog } from '#tidemark/replication/index.js'
import type { MemoryDisk } from './memory-disk.js'

/** Every entry of the contiguous prefix, from the window's beginning on. */
export async function entriesOf(log: ReplicatedLog): Promise<ReplicatedEntry[]> {
  const { beginLsn } = await log.window()
  const entries: ReplicatedEntry[] = []
  for (let lsn = beginLsn; ; ) {
    const page = await log.read(lsn)
    if (page.entries.length === 0) return entries
    entries.push(...page.entries)
    lsn = page.endLsn
  }
}

/**
 * Compares a replicated log with a folder, byte for byte, as far as both go; throws where they differ. Returns how many bytes
 * and segment headers were compared.
 */
export async function compareWithFolder(
  log: ReplicatedLog,
  directory: string,
): Promise<{ bytes: number; headers: number; endLsn: number }> {
  const disk = new NodeDisk()
  const segments = listSegmentNames(disk, directory).map((name) => ({
    firstLsn: segmentNameLsn(name)!,
    header: readSegmentHeader(disk, path.join(directory, name))!,
    content: readFileSync(path.join(directory, name)).subarray(segmentHeaderBytes),
  }))
  let bytes = 0
  let headers = 0
  let endLsn = 0
  for (const entry of await entriesOf(log)) {
    const { startLsn } = entry
    const at = segments.findLastIndex(({ firstLsn }) => firstLsn <= startLsn)
    const segment = segments[at]
    if (!segment) continue
    const { firstLsn, header, content } = segment
    const next = segments[at + 1]?.firstLsn ?? Number.POSITIVE_INFINITY
    if (entry.endLsn > next) throw new Error(`the entry at ${startLsn} goes beyond its segment`)
    const local = content.subarray(startLsn - firstLsn, startLsn - firstLsn + entry.bytes.length)
    if (!entry.bytes.equals(local)) throw new Error(`the bytes at LSN ${startLsn} differ`)
    if ((startLsn === firstLsn) !== (entry.segmentHeader !== undefined)) {
      throw new Error(`the entry at ${startLsn} has a header where none is, or has none`)
    }
    if (entry.segmentHeader) {
      headers++
      const same = encodeHeaderCopy(header).equals(entry.segmentHeader)
      if (!same)
        throw new Error(
          `the header at ${startLsn} is ${JSON.stringify(decodeSegmentHeader(entry.segmentHeader)?.firstLsn)}`,
        )
    }
    bytes += entry.bytes.length
    endLsn = entry.endLsn
  }
  return { bytes, headers, endLsn }
}

/** Writes the folder that a replicated log stands for, from its beginning on; returns where it ends. */
export async function writeFolder(log: ReplicatedLog, directory: string): Promise<number> {
  mkdirSync(directory, { recursive: true })
  const segments: { name: string; parts: Buffer[] }[] = []
  let endLsn = 0
  for (const entry of await entriesOf(log)) {
    const header = entry.segmentHeader && decodeSegmentHeader(entry.segmentHeader)
    if (header) segments.push({ name: segmentName(header.firstLsn), parts: [encodeSegmentHeader(header)] })
    segments.at(-1)!.parts.push(entry.bytes)
    endLsn = entry.endLsn
  }
  for (const { name, parts } of segments) writeFileSync(path.join(directory, name), Buffer.concat(parts))
  return endLsn
}

/** The batches of a log on a disk in memory, as they stand in its files one after the other. */
export function batchesOf(disk: MemoryDisk, directory: string, endLsn: number): Buffer {
  const firstLsns = listSegmentNames(disk, directory).map((name) => segmentNameLsn(name)!)
  const parts = firstLsns.map((lsn, i) => {
    const end = firstLsns[i + 1] ?? endLsn
    const content = disk.contentOf(segmentPath(directory, lsn))!
    return content.subarray(segmentHeaderBytes, segmentHeaderBytes + end - lsn)
  })
  return Buffer.concat(parts)
}
