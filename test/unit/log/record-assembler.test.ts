import { describe, expect, it } from 'vitest'
import { syncMarkerType } from '#tidemark/log/format/frame.js'
import type { BatchChunk } from '#tidemark/log/read/batch-walk.js'
import { FileReader } from '#tidemark/log/read/file-reader.js'
import { RecordAssembler } from '#tidemark/log/read/record-assembler.js'
import { InlineLog, inlineDirectory } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'

/** One chunk a batch: records of which those above 4000 bytes stand in pieces, then a sync marker. */
function chunksOf(sizes: readonly number[]): BatchChunk[] {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk, { segmentBytes: 64 * 1024 })
  for (const [i, bytes] of sizes.entries()) log.producer.append(i + 1, 0, Buffer.alloc(bytes, i))
  log.flushAll()
  log.flusher.writeSyncMarker()
  log.flushAll()
  const reader = new FileReader(disk, inlineDirectory, 0, { chunkBytes: 1 })
  const chunks: BatchChunk[] = []
  for (let chunk = reader.nextSync(log.released); chunk; chunk = reader.nextSync(log.released))
    chunks.push({ ...chunk, bytes: Buffer.from(Uint8Array.from(chunk.bytes).buffer) })
  reader.close()
  return chunks
}

/** An assembler that writes down what it visits. */
function noted() {
  const seen: string[] = []
  const assembler: RecordAssembler = new RecordAssembler({
    visit: (words, from, to, lsn, type) => {
      const { payload, startLsn, inPieces, mayLackBeginning } = assembler
      const signs = `${inPieces ? ' in pieces' : ''}${mayLackBeginning ? ' maybe a rest' : ''}`
      expect(to - from).toBe(payload.byteLength >> 2)
      if (to > from) expect(words[from]! & 0xff).toBe(payload[0])
      seen.push(`${type}: ${payload.byteLength} bytes, ${startLsn} to ${lsn}${signs}`)
    },
    logRecord: (type, lsn) => seen.push(`log ${type} to ${lsn}`),
    rest: (lsn) => seen.push(`rest to ${lsn}`),
  })
  return { assembler, seen }
}

describe('an assembler of records', () => {
  const chunks = chunksOf([10, 5000, 3, 0])
  const ends = chunks.map(({ endLsn }) => endLsn)

  it('gives each record once, with its bytes and its place, whether it stands in one batch or in several', () => {
    const { assembler, seen } = noted()
    const unfinished = chunks.map((chunk) => {
      assembler.walk(chunk)
      return assembler.unfinishedLsn
    })
    expect(seen).toEqual([
      `1: 10 bytes, 0 to ${ends[0]}`,
      `2: 5000 bytes, ${ends[0]} to ${ends[2]} in pieces`,
      `3: 3 bytes, ${ends[2]} to ${ends[3]}`,
      `4: 0 bytes, ${ends[3]} to ${ends[4]}`,
      `log ${syncMarkerType} to ${ends[5]}`,
    ])
    expect(unfinished).toEqual([undefined, ends[0], undefined, undefined, undefined, undefined])
  })

  it('drops what was unfinished at a gap, and says of the next record that its beginning may be missing', () => {
    const { assembler, seen } = noted()
    assembler.walk(chunks[1]!)
    assembler.interrupt()
    for (const chunk of chunks.slice(2, 4)) assembler.walk(chunk)
    expect(seen).toEqual([
      expect.stringMatching(`^2: \\d+ bytes, ${ends[1]} to ${ends[2]} maybe a rest$`),
      `3: 3 bytes, ${ends[2]} to ${ends[3]}`,
    ])
  })

  it('passes over the rest of a record that it is to skip', () => {
    const { assembler, seen } = noted()
    assembler.skipRest()
    for (const chunk of chunks.slice(1, 4)) assembler.walk(chunk)
    expect(seen).toEqual([`rest to ${ends[2]}`, `3: 3 bytes, ${ends[2]} to ${ends[3]}`])
  })

  it('refuses batches out of order, of another place or of no length: they can only be a bug', () => {
    const invariant = expect.objectContaining({ code: 'TIDEMARK_INVARIANT' })
    const { assembler } = noted()
    assembler.walk(chunks[0]!)
    expect(() => assembler.walk(chunks[3]!)).toThrowError(invariant)
    const moved = { ...chunks[3]!, startLsn: ends[0]!, endLsn: ends[0]! + chunks[3]!.bytes.byteLength }
    expect(() => assembler.walk(moved)).toThrowError(invariant)
    for (const length of [0, 31, 4096]) {
      const bytes = Buffer.from(Uint8Array.from(chunks[0]!.bytes).buffer)
      bytes.writeInt32LE(length, 0)
      expect(() => noted().assembler.walk({ ...chunks[0]!, bytes })).toThrowError(invariant)
    }
  })
})
