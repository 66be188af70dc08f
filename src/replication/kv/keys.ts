import { crc32 } from 'node:zlib'
import type {
  Holder,
  LineageEntry,
  NewEntry,
  ReplicatedEntry,
  ReplicationEpoch,
  StandbyPosition,
} from '../../log/thread.js'
import { ReplicationError } from '../../log/thread.js'
import { endOfPrefix, type KeyValue } from './kv.js'

/**
 * Every key of a pool, and every value. docs/replication.md has the table. LSNs stand in keys in 20 digits, so that keys sort as they do.
 *
 *     /tidemark/<pool>/cut             { n, fromLsn }: the last cut, so that none is made twice
 *     /tidemark/<pool>/epoch           { n, owner }; the revision it was put at is the fencing token
 *     /tidemark/<pool>/epochs/<n>      { n, segmentEpoch, firstLsn }
 *     /tidemark/<pool>/holder          { n, owner }, leased
 *     /tidemark/<pool>/log/<startLsn>  an entry, see below
 *     /tidemark/<pool>/standby/<name>  { name, lsn, owner }, leased
 *     /tidemark/<pool>/window          { beginLsn }
 */
export class PoolKeys {
  /** All keys of the pool begin with it. */
  readonly root: string
  readonly rootEnd: string
  readonly cut: string
  readonly epoch: string
  readonly epochs: string
  readonly epochsEnd: string
  readonly holder: string
  readonly logStart: string
  readonly logEnd: string
  readonly standbys: string
  readonly standbysEnd: string
  readonly window: string

  constructor(pool: string) {
    this.root = `/tidemark/${pool}/`
    this.rootEnd = endOfPrefix(this.root)
    this.cut = `${this.root}cut`
    this.epoch = `${this.root}epoch`
    this.epochs = `${this.root}epochs/`
    this.epochsEnd = endOfPrefix(this.epochs)
    this.holder = `${this.root}holder`
    this.logStart = `${this.root}log/`
    this.logEnd = endOfPrefix(this.logStart)
    this.standbys = `${this.root}standby/`
    this.standbysEnd = endOfPrefix(this.standbys)
    this.window = `${this.root}window`
  }

  log(startLsn: number): string {
    return this.logStart + digits(startLsn)
  }

  /** The LSN in the key of an entry; undefined for another key. */
  startLsnOf(key: string): number | undefined {
    if (!key.startsWith(this.logStart)) return undefined
    const text = key.slice(this.logStart.length)
    if (!/^\d{20}$/.test(text)) throw corrupt(key, 'its name is not an LSN')
    return Number(text)
  }

  lineage(n: number): string {
    return this.epochs + digits(n)
  }

  standby(name: string): string {
    return this.standbys + name
  }
}

function digits(n: number): string {
  return String(n).padStart(20, '0')
}

/**
 * An entry's value; words are little-endian.
 *
 *     byte  size  field
 *        0     4  version      1
 *        4     4  head CRC     CRC-32 of the bytes from 8 to the end of the segment's header
 *        8     8  endLsn
 *       16     8  epoch        that appended it
 *       24     4  header       how many bytes the segment's header has; 0 when no segment begins here
 *       28     4  CRC          CRC-32 of the log's bytes
 *       32        the segment's header, then the log's bytes
 */
const entryHeadBytes = 32
const entryVersion = 1

export function encodeEntry(entry: NewEntry, epoch: number): Buffer {
  const { startLsn, bytes, segmentHeader } = entry
  const headerBytes = segmentHeader?.length ?? 0
  const value = Buffer.allocUnsafe(entryHeadBytes + headerBytes + bytes.length)
  value.writeUInt32LE(entryVersion, 0)
  value.writeBigUInt64LE(BigInt(startLsn + bytes.length), 8)
  value.writeBigUInt64LE(BigInt(epoch), 16)
  value.writeUInt32LE(headerBytes, 24)
  value.writeUInt32LE(crc32(bytes), 28)
  if (segmentHeader) value.set(segmentHeader, entryHeadBytes)
  value.set(bytes, entryHeadBytes + headerBytes)
  value.writeUInt32LE(crc32(value.subarray(8, entryHeadBytes + headerBytes)), 4)
  return value
}

/** @throws ReplicationError `TIDEMARK_REPLICATION_CORRUPT`. */
export function decodeEntry(key: string, startLsn: number, value: Buffer): ReplicatedEntry {
  if (value.length < entryHeadBytes) throw corrupt(key, 'it is too short for an entry')
  const version = value.readUInt32LE(0)
  if (version !== entryVersion)
    throw corrupt(key, `it has version ${version}, and this build reads ${entryVersion}`)
  const bytesAt = entryHeadBytes + value.readUInt32LE(24)
  if (bytesAt > value.length || crc32(value.subarray(8, bytesAt)) !== value.readUInt32LE(4))
    throw corrupt(key, 'the CRC of its head does not fit')
  const bytes = aligned(value.subarray(bytesAt))
  const crc = crc32(bytes)
  if (crc !== value.readUInt32LE(28)) throw corrupt(key, 'its CRC does not fit')
  const endLsn = Number(value.readBigUInt64LE(8))
  if (endLsn !== startLsn + bytes.length || bytes.length === 0)
    throw corrupt(key, 'it does not end where it says')
  return {
    startLsn,
    endLsn,
    bytes,
    crc,
    epoch: Number(value.readBigUInt64LE(16)),
    segmentHeader: bytesAt === entryHeadBytes ? undefined : value.subarray(entryHeadBytes, bytesAt),
  }
}

/** What checks batches reads them in words: where a client cut the bytes out of a larger message, they are copied. */
function aligned(bytes: Buffer): Buffer {
  return (bytes.byteOffset & 7) === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer)
}

/** The value of a small key: JSON, so that it can be read with the tools of the store. */
export function encodeJson(fields: object): Buffer {
  return Buffer.from(JSON.stringify(fields))
}

export function encodeLineage({ n, segmentEpoch, firstLsn }: LineageEntry): Buffer {
  return encodeJson({ n, segmentEpoch: segmentEpoch.toString(16).padStart(16, '0'), firstLsn })
}

export function decodeEpoch(found: KeyValue): ReplicationEpoch {
  const fields = fieldsOf(found)
  return {
    n: lsnField(found, fields, 'n'),
    owner: textField(found, fields, 'owner'),
    token: found.revision,
  }
}

export function decodeHolder(found: Pick<KeyValue, 'key' | 'value'>): Holder {
  const fields = fieldsOf(found)
  return { n: lsnField(found, fields, 'n'), owner: textField(found, fields, 'owner') }
}

export function decodeLineage(found: KeyValue): LineageEntry {
  const fields = fieldsOf(found)
  const segmentEpoch = textField(found, fields, 'segmentEpoch')
  if (!/^[0-9a-f]{16}$/.test(segmentEpoch)) throw corrupt(found.key, 'its segmentEpoch is not 16 digits')
  return {
    n: lsnField(found, fields, 'n'),
    segmentEpoch: BigInt(`0x${segmentEpoch}`),
    firstLsn: lsnField(found, fields, 'firstLsn'),
  }
}

/** A standby's position, and who put it: a name is one standby's for as long as its lease lives. */
export interface OwnedPosition extends StandbyPosition {
  readonly owner: string
}

export function decodeStandby(found: KeyValue): OwnedPosition {
  const fields = fieldsOf(found)
  return {
    name: textField(found, fields, 'name'),
    lsn: lsnField(found, fields, 'lsn'),
    owner: textField(found, fields, 'owner'),
  }
}

/** Where the window begins; the log of a pool that never was trimmed begins at 0. */
export function decodeWindow(found: Pick<KeyValue, 'key' | 'value'> | undefined): number {
  return found ? lsnField(found, fieldsOf(found), 'beginLsn') : 0
}

type Found = Pick<KeyValue, 'key' | 'value'>

function fieldsOf({ key, value }: Found): Record<string, unknown> {
  try {
    const fields: unknown = JSON.parse(value.toString())
    if (typeof fields === 'object' && fields !== null) return fields as Record<string, unknown>
  } catch {
    // Said below.
  }
  throw corrupt(key, 'it is not JSON of the form that is kept there')
}

function lsnField({ key }: Found, fields: Record<string, unknown>, name: string): number {
  const value = fields[name]
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw corrupt(key, `its ${name} is not a whole number`)
}

function textField({ key }: Found, fields: Record<string, unknown>, name: string): string {
  const value = fields[name]
  if (typeof value === 'string') return value
  throw corrupt(key, `its ${name} is not a text`)
}

function corrupt(key: string, why: string): ReplicationError {
  return new ReplicationError(
    'TIDEMARK_REPLICATION_CORRUPT',
    `The replicated log holds a key ${key} that tidemark did not write so: ${why}. Look at it with etcdctl; if another program wrote there, delete the pool's keys, and let the primary begin a new log.`,
    { key },
  )
}
