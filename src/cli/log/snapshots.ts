import * as path from 'node:path'
import { LogError } from '../../log/index.js'
import { copiedInstruments, type InstrumentDefinition, rulesVersion } from '../../matching/index.js'
import type { SnapshotHeader } from '../../pool/index.js'
import { listSnapshots, type PoolSnapshot, readPieces, verifySnapshot } from '../../pool/index.js'

/** A snapshot file as it was found. */
export interface CheckedSnapshot {
  readonly path: string
  /** `undefined` when it is not valid. */
  readonly header: SnapshotHeader | undefined
  /** What is wrong with it; `undefined` when nothing is. */
  readonly reason: string | undefined
}

/** Checks every snapshot of a folder, newest first. One that retention removes meanwhile is left out. */
export async function checkSnapshots(directory: string): Promise<CheckedSnapshot[]> {
  const checked: CheckedSnapshot[] = []
  for (const { path: file } of await listSnapshots(directory)) {
    const header = await verifySnapshot(file).catch((error) => {
      if (isGone(error)) return 'gone' as const
      if (error instanceof LogError && error.code === 'TIDEMARK_LOG_FORMAT') return 'foreign' as const
      throw error
    })
    if (header === 'gone') continue
    if (header === 'foreign') {
      checked.push({ path: file, header: undefined, reason: 'it has another version of the format' })
      continue
    }
    checked.push({ path: file, header, reason: reasonOf(file, header) })
  }
  return checked
}

function reasonOf(file: string, header: SnapshotHeader | undefined): string | undefined {
  if (!header) return 'its header, its length or its CRC is wrong'
  const named = Number(/\d{20}/.exec(path.basename(file))?.[0])
  if (named !== header.endLsn) return `its header says LSN ${header.endLsn}, which is not its name`
  return undefined
}

/** The newest valid snapshot from which this build could bring up the books of a log that begins at `firstLsn`. */
export function usableSnapshot(
  snapshots: readonly CheckedSnapshot[],
  firstLsn: number,
  endLsn: number = Number.POSITIVE_INFINITY,
): PoolSnapshot | undefined {
  for (const { path: file, header, reason } of snapshots) {
    if (!header || reason !== undefined || header.rulesVersion !== rulesVersion) continue
    if (header.replayFromLsn >= firstLsn && header.endLsn <= endLsn) return { path: file, header }
  }
  return undefined
}

/** The instruments of a snapshot; `undefined` when retention removed it meanwhile. */
export function snapshotInstruments(snapshot: PoolSnapshot): InstrumentDefinition[] | undefined {
  const instruments: InstrumentDefinition[] = []
  try {
    for (const { words, length } of readPieces(snapshot)) {
      instruments.push(...copiedInstruments(words, length))
      if (instruments.length === snapshot.header.books) break
    }
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
  return instruments
}

function isGone(error: unknown): boolean {
  return error instanceof LogError && error.details['errno'] === 'ENOENT'
}
