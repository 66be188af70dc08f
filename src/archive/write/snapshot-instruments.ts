import { LogError } from '../../log/index.js'
import { copiedInstruments } from '../../matching/index.js'
import { listSnapshots, readPieces, verifySnapshot } from '../../pool/index.js'
import type { ArchivedInstrument } from '../manifest.js'

/**
 * The instruments that the newest valid snapshot of a pool knows: those that were created in a part of the log that was
 * deleted are among them. A pool may be at work in the folder.
 *
 * @throws LogError `TIDEMARK_LOG_IO`.
 */
export async function snapshotInstruments(log: string): Promise<ArchivedInstrument[]> {
  for (const { path } of await listSnapshots(log)) {
    try {
      const header = await verifySnapshot(path)
      if (!header) continue
      const instruments: ArchivedInstrument[] = []
      for (const { words, length } of readPieces({ path, header })) {
        for (const { instrumentId: id, symbol, tickSize, lotSize } of copiedInstruments(words, length))
          instruments.push({ id, symbol, tickSize, lotSize })
        if (instruments.length === header.books) break
      }
      return instruments
    } catch (error) {
      // One that is of another format, or that retention removed meanwhile, is passed over.
      if (!(error instanceof LogError)) throw error
    }
  }
  return []
}
