import * as path from 'node:path'
import { crc32 } from 'node:zlib'
import { AtomicFileSync, attempt, type Disk } from '../log/index.js'
import { ArchiveError, damaged } from './errors.js'

/** The kinds of logs that can be archived. */
export type ArchiveKind = 'pool' | 'factors'

/** A file of an archive, and what of it a search may know without opening it. */
export interface ArchiveFile {
  readonly table: string
  /** From the archive's folder, with `/`. */
  readonly path: string
  readonly bytes: number
  /** In hexadecimal. */
  readonly sha256: string
  readonly rows: number
  /** Of its rows. */
  readonly firstLsn: number
  readonly lastLsn: number
  readonly firstTimeUs: number
  readonly lastTimeUs: number
  /** All of them in order, or where there are more than a hundred the first and the last. Of factors the instruments. */
  readonly symbols: readonly string[]
  readonly symbolCount: number
}

/** The records that end after `firstLsn` and up to `endLsn`: all rows of them stand in these files. */
export interface ArchivePart {
  readonly firstLsn: number
  readonly endLsn: number
  readonly files: readonly ArchiveFile[]
}

/** A segment of the log of which records were archived. */
export interface ArchivedSegment {
  readonly firstLsn: number
  readonly endLsn: number
  /** In hexadecimal. */
  readonly epoch: string
}

/** An instrument of an archived log: what its ticks and lots stand for. */
export interface ArchivedInstrument {
  /** Its number in the log. */
  readonly id: number
  /** Its symbol. */
  readonly symbol: string
  /** One tick as a decimal, such as `0.01`. */
  readonly tickSize: string
  /** One lot as a decimal. */
  readonly lotSize: string
}

export interface ArchivedSeries {
  readonly series: number
  readonly instrument: string
  readonly factors: readonly string[]
}

/** What an archive holds. Readers believe what stands here, and no file that is not named here. */
export interface Manifest {
  readonly format: 1
  readonly kind: ArchiveKind
  /** Records that end after `firstLsn` and up to `endLsn` are archived. */
  readonly firstLsn: number
  readonly endLsn: number
  readonly segments: readonly ArchivedSegment[]
  readonly parts: readonly ArchivePart[]
  /** Of a pool: the instruments that were created up to `endLsn`. */
  readonly instruments: readonly ArchivedInstrument[]
  /** Of factors: the series of the session in which `endLsn` lies. */
  readonly series: readonly ArchivedSeries[]
}

const manifestName = 'manifest.json'
const manifestFormat = 1
const head = '{"crc32":"'
const middle = '","manifest":'

export function emptyManifest(kind: ArchiveKind, firstLsn: number): Manifest {
  return {
    format: manifestFormat,
    kind,
    firstLsn,
    endLsn: firstLsn,
    segments: [],
    parts: [],
    instruments: [],
    series: [],
  }
}

/**
 * The manifest of an archive; `undefined` when there is none.
 *
 * @throws ArchiveError `TIDEMARK_ARCHIVE_DAMAGED`, `TIDEMARK_ARCHIVE_FORMAT`; LogError `TIDEMARK_LOG_IO`.
 */
export function readManifest(disk: Disk, archive: string): Manifest | undefined {
  const file = path.join(archive, manifestName)
  if (!disk.exists(file)) return undefined
  const handle = attempt('open', file, () => disk.open(file, 'read'))
  try {
    const bytes = Buffer.alloc(attempt('look at', file, () => disk.size(handle)))
    for (let at = 0; at < bytes.byteLength; ) {
      const read = attempt('read', file, () => disk.readSync(handle, bytes.subarray(at), at))
      if (read === 0) throw damaged(file, 'it is shorter than its size')
      at += read
    }
    return decodeManifest(file, bytes.toString('utf8'))
  } finally {
    attempt('close', file, () => disk.close(handle))
  }
}

/**
 * Puts a manifest in the place of the one before. From then on its files are the archive.
 *
 * @throws LogError `TIDEMARK_LOG_IO`.
 */
export function writeManifest(disk: Disk, archive: string, manifest: Manifest): void {
  const file = new AtomicFileSync(disk, archive, manifestName)
  try {
    file.write(Buffer.from(encodeManifest(manifest)))
    file.publish(manifestName)
  } catch (error) {
    file.discard()
    throw error
  }
}

/** One JSON object, which any program can read: the manifest, after the CRC-32 of its text. */
function encodeManifest(manifest: Manifest): string {
  const body = JSON.stringify(manifest)
  return `${head}${crcText(body)}${middle}${body}}\n`
}

function decodeManifest(file: string, text: string): Manifest {
  const bodyAt = head.length + 8 + middle.length
  const body = text.slice(bodyAt, -2)
  const expected = `${head}${crcText(body)}${middle}${body}}\n`
  if (text !== expected) throw damaged(file, 'its checksum does not fit its text')
  let found: Manifest
  try {
    found = JSON.parse(body) as Manifest
  } catch (cause) {
    throw damaged(file, 'it is not JSON', { cause })
  }
  if (found.format !== manifestFormat) {
    throw new ArchiveError(
      'TIDEMARK_ARCHIVE_FORMAT',
      `${file} has format ${String(found.format)}; this build reads format ${manifestFormat}. Use the build that wrote it.`,
      { file, found: found.format, supported: manifestFormat },
    )
  }
  return found
}

function crcText(body: string): string {
  return crc32(body).toString(16).padStart(8, '0')
}
