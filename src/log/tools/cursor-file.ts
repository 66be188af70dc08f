import * as path from 'node:path'
import { crc32 } from 'node:zlib'
import { AtomicFile } from '../disk/atomic-file.js'
import { attemptAsync } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import { NodeDisk } from '../disk/node-disk.js'
import { ioError } from '../errors.js'

/**
 * The file of a cursor: two slots that are written in turn, so that a torn write leaves the other. The valid one with
 * the higher sequence counts. docs/cursor-format.md has the table.
 *
 * ```
 *  slot, at byte 0 when its sequence is even, at byte 4096 when it is odd
 *     0  8  magic "TIDECURS"
 *     8  4  format version
 *    12  4  state
 *    16  8  sequence
 *    24  8  LSN where the last acknowledged record ends
 *    32  8  written, microseconds since 1970
 *    40  4  bytes of the name
 *    44 64  name, then zeros
 *   108  4  CRC-32 of bytes 0 to 107
 * ```
 */
const magic = 'TIDECURS'
const formatVersion = 1
const slotBytes = 112
const slotDistance = 4096
const fileBytes = 2 * slotDistance
const nameAt = 44
const filePatterns = {
  cursor: /^cursor-([A-Za-z0-9][A-Za-z0-9._-]{0,63})\.cur$/,
  reader: /^reader-([A-Za-z0-9][A-Za-z0-9._-]{0,63})\.cur$/,
} as const
const nodeDisk = new NodeDisk()
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

export const cursorNameRule =
  '1 to 64 letters, digits, dots, dashes and underscores, a letter or digit at the beginning'

/** Whose a cursor is: the log's owner's, for its own consumers, or a reader's outside of it, which alone writes it then. */
export type CursorOwner = keyof typeof filePatterns

/** The states that stand in the file of a cursor of the log's owner. */
export type StoredCursorState = 'valid' | 'invalidated' | 'beyond-end'
/** The states that stand in the file of a reader's cursor: `held` from when a reader takes it until it says that it ends. */
export type StoredReaderState = 'valid' | 'held'
type StoredState = StoredCursorState | StoredReaderState

const states: readonly (StoredState | undefined)[] = [undefined, 'valid', 'invalidated', 'beyond-end', 'held']
const statesOf: Record<CursorOwner, readonly StoredState[]> = {
  cursor: ['valid', 'invalidated', 'beyond-end'],
  reader: ['valid', 'held'],
}

export interface CursorRecord<State extends StoredState = StoredCursorState> {
  readonly name: string
  readonly state: State
  readonly lsn: number
  /** Grows by one with each writing. */
  readonly sequence: number
  readonly writtenUs: number
}

/** A cursor's file as it was found: its record, or why there is none. */
export interface FoundCursor<State extends StoredState = StoredCursorState> {
  readonly name: string
  readonly path: string
  readonly record: CursorRecord<State> | undefined
  readonly reason: string | undefined
  /** Whether nothing is in it: it was made, and its first record was not written yet. */
  readonly empty: boolean
}

export function isCursorName(name: unknown): name is string {
  return typeof name === 'string' && namePattern.test(name)
}

export function cursorPath(directory: string, name: string, owner: CursorOwner = 'cursor'): string {
  return path.join(directory, `${owner}-${name}.cur`)
}

/** Makes a cursor's file atomically: after a crash it is whole or absent. @throws LogError `TIDEMARK_LOG_IO`. */
export async function createCursorFile(
  directory: string,
  record: CursorRecord,
  disk: Disk = nodeDisk,
): Promise<void> {
  const content = Buffer.alloc(fileBytes)
  encodeSlot(record).copy(content, slotAt(record))
  await AtomicFile.write(disk, cursorPath(directory, record.name), [content])
}

/** Writes a record into its slot of a file that is there, and syncs it. @throws LogError `TIDEMARK_LOG_IO`. */
export async function writeCursorFile(
  directory: string,
  record: CursorRecord,
  disk: Disk = nodeDisk,
): Promise<void> {
  await writeSlot(cursorPath(directory, record.name), record, true, disk)
}

/** Writes a record into its slot of a file, and syncs it if that is asked for. @throws LogError `TIDEMARK_LOG_IO`. */
export async function writeSlot(
  target: string,
  record: CursorRecord<StoredState>,
  synced: boolean,
  disk: Disk,
): Promise<void> {
  const slot = encodeSlot(record)
  const file = await attemptAsync('open', target, () => disk.async.open(target, 'write'))
  try {
    const written = await attemptAsync('write to', target, () =>
      disk.async.write(file, [slot], slotAt(record)),
    )
    if (written !== slotBytes) {
      throw ioError('write to', target, new Error(`only ${written} bytes were taken; the disk may be full`))
    }
    if (synced) await attemptAsync('sync', target, () => disk.async.syncData(file))
  } finally {
    await disk.async.close(file)
  }
}

/** Removes a cursor's file, whatever is in it. @throws LogError `TIDEMARK_LOG_IO`. */
export async function removeCursorFile(
  directory: string,
  name: string,
  owner: CursorOwner = 'cursor',
): Promise<void> {
  const target = cursorPath(directory, name, owner)
  await attemptAsync('remove', target, () => nodeDisk.async.remove(target))
  await attemptAsync('sync', directory, () => nodeDisk.async.syncDirectory(directory))
}

/**
 * All cursors of the owner of a folder, by name. One that can't be read, or of which no slot is valid, is among them with the
 * reason. Writes nothing: it may stand beside the pool that writes them.
 *
 * @throws LogError `TIDEMARK_LOG_IO` when the folder can't be read.
 */
export function readCursorFiles(directory: string, disk: Disk = nodeDisk): Promise<FoundCursor[]> {
  return readFiles(disk, directory, 'cursor') as Promise<FoundCursor[]>
}

/** As `readCursorFiles`, of readers outside. */
export function readReaderFiles(
  directory: string,
  disk: Disk = nodeDisk,
): Promise<FoundCursor<StoredReaderState>[]> {
  return readFiles(disk, directory, 'reader') as Promise<FoundCursor<StoredReaderState>[]>
}

async function readFiles(
  disk: Disk,
  directory: string,
  owner: CursorOwner,
): Promise<FoundCursor<StoredState>[]> {
  const names = await attemptAsync('read', directory, () => disk.async.list(directory))
  const found: FoundCursor<StoredState>[] = []
  for (const file of names.sort()) {
    const name = filePatterns[owner].exec(file)?.[1]
    if (name === undefined) continue
    const cursor = await readCursorFile(disk, directory, name, owner)
    if (cursor) found.push(cursor)
  }
  return found
}

/** `undefined`: it was dropped a moment ago. */
export async function readCursorFile(
  disk: Disk,
  directory: string,
  name: string,
  owner: CursorOwner,
): Promise<FoundCursor<StoredState> | undefined> {
  const file = cursorPath(directory, name, owner)
  let content: Buffer
  try {
    content = await readSlots(disk, file)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    const { message: reason } = ioError('read', file, cause)
    return { name, path: file, record: undefined, reason, empty: false }
  }
  const found = { name, path: file, empty: content.byteLength === 0 }
  const slots = [0, slotDistance].map((at) => decodeSlot(content.subarray(at, at + slotBytes), owner))
  const valid = slots.filter((slot) => typeof slot !== 'string')
  const record = valid.toSorted((a, b) => b.sequence - a.sequence)[0]
  if (!record) return { ...found, record, reason: slots.find((slot) => typeof slot === 'string') }
  if (record.name === name) return { ...found, record, reason: undefined }
  const reason = `it is the file of a cursor named ${JSON.stringify(record.name)}`
  return { ...found, record: undefined, reason }
}

function slotAt({ sequence }: { readonly sequence: number }): number {
  return sequence % 2 === 0 ? 0 : slotDistance
}

export function encodeSlot(record: CursorRecord<StoredState>): Buffer {
  const slot = Buffer.alloc(slotBytes)
  slot.write(magic, 0, 'latin1')
  slot.writeUInt32LE(formatVersion, 8)
  slot.writeUInt32LE(states.indexOf(record.state), 12)
  slot.writeBigUInt64LE(BigInt(record.sequence), 16)
  slot.writeBigUInt64LE(BigInt(record.lsn), 24)
  slot.writeBigUInt64LE(BigInt(record.writtenUs), 32)
  slot.writeUInt32LE(record.name.length, 40)
  slot.write(record.name, nameAt, 'latin1')
  slot.writeUInt32LE(crc32(slot.subarray(0, slotBytes - 4)), slotBytes - 4)
  return slot
}

/** The record of a slot, or what is wrong with it. */
function decodeSlot(slot: Buffer, owner: CursorOwner): CursorRecord<StoredState> | string {
  if (slot.byteLength < slotBytes) return 'the file is too short'
  if (slot.toString('latin1', 0, 8) !== magic) return 'neither slot begins like a cursor'
  const version = slot.readUInt32LE(8)
  if (crc32(slot.subarray(0, slotBytes - 4)) !== slot.readUInt32LE(slotBytes - 4)) return 'its CRC is wrong'
  if (version !== formatVersion) {
    return `it has format version ${version}; this build reads version ${formatVersion}`
  }
  const state = states[slot.readUInt32LE(12)]
  const [sequence, lsn] = [Number(slot.readBigUInt64LE(16)), Number(slot.readBigUInt64LE(24))]
  const name = slot.toString('latin1', nameAt, nameAt + Math.min(64, slot.readUInt32LE(40)))
  if (state === undefined || !statesOf[owner].includes(state))
    return `its state is ${slot.readUInt32LE(12)}, which this build does not know`
  if (!Number.isSafeInteger(sequence) || !Number.isSafeInteger(lsn) || lsn % 8 !== 0) {
    return `its LSN is ${lsn}, which no record can have`
  }
  return { name, state, lsn, sequence, writtenUs: Number(slot.readBigUInt64LE(32)) }
}

/** The bytes of a cursor's file, as many as a cursor has. */
async function readSlots(disk: Disk, name: string): Promise<Buffer> {
  const file = await disk.async.open(name, 'read')
  try {
    const content = Buffer.alloc(fileBytes)
    let bytes = 0
    for (let read = -1; read !== 0 && bytes < fileBytes; bytes += read)
      read = await disk.read(file, content.subarray(bytes), bytes)
    return content.subarray(0, bytes)
  } finally {
    await disk.async.close(file)
  }
}
