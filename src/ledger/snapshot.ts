import * as path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { crc32 } from 'node:zlib'
import { AtomicFile, attempt, type Disk, LogError, NodeDisk, newestSnapshot } from '../log/index.js'
import { type InstrumentRegistry, ledgerFileName, listLedgerFiles } from '../pool/index.js'
import { LedgerError } from './errors.js'
import { type LedgerImage, LedgerState } from './state/ledger-state.js'

/**
 * The file of a ledger's state as of an LSN, little-endian:
 *
 * ```
 *  byte  0   "TMLEDGER"
 *        8   version, 4 bytes | CRC-32 of all after byte 16, 4 bytes
 *       16   bytes of the head, 4 bytes, and 4 bytes of zero
 *       24   the head: JSON in UTF-8, padded with spaces to a multiple of eight bytes
 *        …   the arrays, one after the other, each padded to a multiple of eight bytes; the head has their names, types and lengths
 * ```
 */
const magic = 0x5245_4744_454c_4d54n
const version = 5
/** The oldest version that is read. */
const oldestVersion = 2
/** The first that says when fees were set: what orders paid can't be known without it. */
const feesVersion = 4
const headAt = 24
const arrayTypes = { i64: BigInt64Array, f64: Float64Array, i32: Int32Array } as const

interface Head {
  readonly facts: LedgerImage['facts']
  readonly arrays: readonly {
    readonly name: string
    readonly type: keyof typeof arrayTypes
    readonly length: number
  }[]
}

/** Writes the state of a moment, which its caller has in memory of its own. @throws LogError `TIDEMARK_LOG_IO`. */
export async function writeLedgerSnapshot(dir: string, image: LedgerImage): Promise<void> {
  const arrays = Object.entries(image.arrays)
  const head: Head = {
    facts: image.facts,
    arrays: arrays.map(([name, array]) => ({
      name,
      type: array instanceof BigInt64Array ? 'i64' : array instanceof Float64Array ? 'f64' : 'i32',
      length: array.length,
    })),
  }
  const text = new TextEncoder().encode(JSON.stringify(head))
  const padded = new Uint8Array((text.byteLength + 7) & ~7).fill(0x20)
  padded.set(text)
  const first = new DataView(new ArrayBuffer(headAt))
  first.setBigUint64(0, magic, true)
  first.setUint32(8, version, true)
  first.setUint32(16, padded.byteLength, true)
  const pieces = [new Uint8Array(first.buffer, 16), padded, ...arrays.map(([, array]) => bytesOf(array))]
  // The CRC of nothing is 0, whatever came before it.
  let crc = 0
  for (const piece of pieces) if (piece.byteLength > 0) crc = crc32(piece, crc)
  first.setUint32(12, crc, true)
  const start = new Uint8Array(first.buffer, 0, 16)
  await AtomicFile.write(new NodeDisk(), path.join(dir, ledgerFileName(image.facts.lsn)), [start, ...pieces])
}

/** An array's bytes, padded to a multiple of eight. */
function bytesOf(array: BigInt64Array | Float64Array | Int32Array): Uint8Array {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
  if (bytes.byteLength % 8 === 0) return bytes
  const padded = new Uint8Array((bytes.byteLength + 7) & ~7)
  padded.set(bytes)
  return padded
}

/**
 * The state of the newest valid snapshot in a folder that is not above `lsnMax`; `undefined` when the folder has none.
 *
 * @throws LedgerError `TIDEMARK_LEDGER_DAMAGED` when it has some, none of which is valid; LogError `TIDEMARK_LOG_FORMAT` when one of them
 *   is of a newer build, `TIDEMARK_LOG_IO`.
 */
export async function readLedgerSnapshot(
  dir: string,
  registry: InstrumentRegistry,
  lsnMax = Number.POSITIVE_INFINITY,
): Promise<LedgerState | undefined> {
  const disk = new NodeDisk()
  const namesNow = () => listLedgerFiles(disk, dir).filter(({ lsn }) => lsn <= lsnMax)
  for (;;) {
    const files = namesNow()
    const image = await newestSnapshot(files, async ({ path: file }) => readImage(disk, file))
    if (image !== undefined) return LedgerState.restored(registry, image)
    if (files.length === 0) return undefined
    // A checkpoint may have removed one since it was listed.
    if (!isDeepStrictEqual(files, namesNow())) continue
    throw new LedgerError(
      'TIDEMARK_LEDGER_DAMAGED',
      `No snapshot of the ledger in ${dir} is whole: restore the folder from a backup, or remove the files when its log goes back to the ledger's beginning.`,
      { files: files.map(({ path: file }) => file) },
    )
  }
}

function readImage(disk: Disk, file: string): LedgerImage | undefined {
  const bytes = attempt('read', file, () => wholeFile(disk, file))
  if (bytes === undefined || bytes.byteLength < headAt) return undefined
  const view = new DataView(bytes.buffer)
  if (view.getBigUint64(0, true) !== magic) return undefined
  if (view.getUint32(12, true) !== crc32(bytes.subarray(16))) return undefined
  const found = view.getUint32(8, true)
  if (found > version) throw newerFormat(file, found)
  if (found < oldestVersion) return undefined
  const headBytes = view.getUint32(16, true)
  const text = new TextDecoder().decode(bytes.subarray(headAt, headAt + headBytes))
  const head = JSON.parse(text) as Head
  const arrays: Record<string, BigInt64Array | Float64Array | Int32Array> = {}
  let at = headAt + headBytes
  for (const { name, type, length } of head.arrays) {
    const array = new arrayTypes[type](bytes.buffer, at, length)
    arrays[name] = array
    at += (array.byteLength + 7) & ~7
  }
  if (found < feesVersion && head.facts.schedules.length > 0) return undefined
  return { facts: head.facts, arrays: arrays as unknown as LedgerImage['arrays'] }
}

function newerFormat(file: string, found: number): LogError {
  return new LogError(
    'TIDEMARK_LOG_FORMAT',
    `${file} has version ${found} of a ledger's snapshot; this build reads up to version ${version}: open it with a newer one.`,
    { file, version: found, supported: version },
  )
}

/** The file's bytes; `undefined` when it is not there any more. */
function wholeFile(disk: Disk, file: string): Uint8Array<ArrayBuffer> | undefined {
  let open: number
  try {
    open = disk.open(file, 'read')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const bytes = new Uint8Array(new ArrayBuffer(disk.size(open)))
    let at = 0
    while (at < bytes.byteLength) {
      const read = disk.readSync(open, bytes.subarray(at), at)
      if (read === 0) return bytes.subarray(0, 0)
      at += read
    }
    return bytes
  } finally {
    disk.close(open)
  }
}
