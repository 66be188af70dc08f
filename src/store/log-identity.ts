import { crc32 } from 'node:zlib'
import { FileReader, type FolderTailer, LogError, NodeDisk, RecordAssembler } from '../log/index.js'
import { StoreError } from './errors.js'
import type { Progress } from './progress.js'

/** The CRC-32 of the whole words of a record's payload. */
export function payloadCrc(words: Int32Array, from: number, to: number): number {
  return crc32(new Uint8Array(words.buffer, words.byteOffset + from * 4, (to - from) * 4))
}

/** Looks whether a folder holds the log that a store was made of, by the last record that is stored. @throws StoreError */
export async function requireSameLog(
  dir: string,
  target: string,
  progress: Progress,
  firstLsn: number,
  tailer: FolderTailer,
): Promise<void> {
  const { lsn, recordStartLsn, recordCrc } = progress
  const details = { dir, target, lsn, firstLsn, endLsn: tailer.writtenLsn }
  if (lsn < firstLsn) {
    throw new StoreError(
      'TIDEMARK_STORE_LOG_GONE',
      `${target} has the log up to LSN ${lsn}, and the one in ${dir} begins at ${firstLsn} now: what lies between was removed. Store it anew from a backup that has it.`,
      details,
    )
  }
  if (tailer.writtenLsn < lsn) {
    throw new StoreError(
      'TIDEMARK_STORE_AHEAD',
      `${target} has the log up to LSN ${lsn}, and the one in ${dir} ends at ${tailer.writtenLsn}: it is another log, or one that was restored from an earlier copy. Use another store, or delete this one.`,
      details,
    )
  }
  // The record itself was removed, and what comes after it is there: nothing more can be compared.
  if (recordStartLsn < firstLsn) return
  if ((await crcOfRecord(dir, recordStartLsn, lsn)) === recordCrc) return
  throw new StoreError(
    'TIDEMARK_STORE_OTHER_LOG',
    `${target} was made of another log than the one in ${dir}: they differ at LSN ${lsn}. Use a store of its own for each log.`,
    details,
  )
}

/** The CRC-32 of the payload of the record that begins at one LSN, if it is there and ends at or before another. */
async function crcOfRecord(dir: string, startLsn: number, limitLsn: number): Promise<number | undefined> {
  let crc: number | undefined
  const assembler = new RecordAssembler({
    visit: (words, from, to) => {
      crc ??= payloadCrc(words, from, to)
    },
  })
  const reader = new FileReader(new NodeDisk(), dir, startLsn, { chunkBytes: 1 })
  try {
    while (crc === undefined) {
      const chunk = await reader.next(limitLsn)
      if (!chunk) return undefined
      assembler.walk(chunk)
    }
    return crc
  } catch (error) {
    // No record begins there, or it is not valid.
    if (error instanceof LogError && ['TIDEMARK_BAD_LSN', 'TIDEMARK_LOG_CORRUPT'].includes(error.code))
      return undefined
    throw error
  } finally {
    reader.close()
  }
}
