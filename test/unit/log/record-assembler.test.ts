import { describe, expect, it } from 'vitest'
import type { BatchChunk } from '#tidemark/log/read/batch-walk.js'
import { FileReader } from '#tidemark/log/read/file-reader.js'
import { RecordAssembler } from '#tidemark/log/read/record-assembler.js'
import { InlineLog, inlineDirectory } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'

/** One chunk a batch: records of which those above 4000 bytes stand in pieces, then three in one batch, then a sync marker. */
function chunksOf(sizes: readonly number[]): BatchChunk[] {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk, { segmentBytes: 64 * 1024 })
  for (const [i, bytes] of sizes.entries()) log.producer.append(i + 1, 0, Buffer.alloc(bytes, i))
  log.appendTogether(
    [1, 2, 3].map((n) => Buffer.alloc(n, n)),
    9,
  )
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
      const { payload, startLsn, inPieces, lacksBeginning } = assembler
      const signs = `${inPieces ? ' in pieces' : ''}${lacksBeginning ? ', a rest' : ''}`
      expect(to - from).toBe(payload.byteLength >> 2)
      if (to > from) expect(words[from]! & 0xff).toBe(payload[0])
      seen.push(`${type}: ${payload.byteLength} bytes, ${startLsn} to ${lsn}${signs}`)
    },
    syncMarker: (lsn) => seen.push(`marker to ${lsn}`),
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
      `9: 1 bytes, ${ends[4]} to ${ends[4]! + 48}`,
      `9: 2 bytes, ${ends[4]! + 48} to ${ends[4]! + 64}`,
      `9: 3 bytes, ${ends[4]! + 64} to ${ends[5]}`,
      `marker to ${ends[6]}`,
    ])
    expect(unfinished).toEqual([undefined, ends[0], undefined, undefined, undefined, undefined, undefined])
  })

  it('drops what was unfinished at a gap, and says of a record that only its rest is there', () => {
    const { assembler, seen } = noted()
    assembler.walk(chunks[1]!)
    assembler.interrupt()
    for (const chunk of chunks.slice(2, 4)) assembler.walk(chunk)
    expect(seen).toEqual([
      expect.stringMatching(`^2: \\d+ bytes, ${ends[1]} to ${ends[2]} in pieces, a rest$`),
      `3: 3 bytes, ${ends[2]} to ${ends[3]}`,
    ])
  })

  it('passes over the rest of a record with which the log begins', () => {
    const { assembler, seen } = noted()
    assembler.begin()
    for (const chunk of chunks.slice(2, 4)) assembler.walk(chunk)
    expect(seen).toEqual([`rest to ${ends[2]}`, `3: 3 bytes, ${ends[2]} to ${ends[3]}`])
  })

  it('visits only the records that count of a chunk that begins or ends within a batch', () => {
    const chunk = chunks[5]!
    const visited = (fromLsn: number, toLsn: number) => {
      const { assembler, seen } = noted()
      assembler.walk({ ...chunk, fromLsn, toLsn })
      return seen.map((line) => line.slice(3, 4))
    }
    const lsns = [chunk.startLsn, chunk.startLsn + 48, chunk.startLsn + 64, chunk.endLsn]
    for (const [i, from] of lsns.entries())
      for (const [j, to] of lsns.entries())
        expect(visited(from, to)).toEqual(['1', '2', '3'].slice(i, Math.max(i, j)))
  })

  it('refuses batches out of order, of another place or of no length: they can only be a bug', () => {
    const invariant = expect.objectContaining({ code: 'TIDEMARK_INVARIANT' })
    const { assembler } = noted()
    assembler.walk(chunks[0]!)
    expect(() => assembler.walk(chunks[3]!)).toThrowError(invariant)
    const movedEnd = ends[0]! + chunks[3]!.bytes.byteLength
    const moved = { ...chunks[3]!, startLsn: ends[0]!, endLsn: movedEnd, fromLsn: ends[0]!, toLsn: movedEnd }
    expect(() => assembler.walk(moved)).toThrowError(invariant)
    for (const at of [0, 32]) {
      for (const length of [0, 7, 4096]) {
        const bytes = Buffer.from(Uint8Array.from(chunks[0]!.bytes).buffer)
        bytes.writeInt32LE(length, at)
        expect(() => noted().assembler.walk({ ...chunks[0]!, bytes })).toThrowError(invariant)
      }
    }
  })
})
