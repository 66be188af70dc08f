import { describe, expect, it } from 'vitest'
import { batchHeaderBytes } from '#tidemark/log/format/batch.js'
import { segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import { inspectLogNow } from '#tidemark/log/tools/inspection.js'
import {
  diskWith,
  expectRefusal,
  type FaultSegment,
  liveOn,
  threeSegmentLog,
  tryRecover,
} from '../support/fault-log.js'
import { faultCount, faultPlaces, faultTier } from '../support/fault-tier.js'
import { inlineDirectory } from '../support/inline-log.js'
import { Random } from '../support/random.js'

const log = threeSegmentLog()
const bits = log.segments.reduce((sum, { content }) => sum + content.byteLength * 8, 0)
const count = faultCount('bit-flip', { short: 4_000, full: 491_520 })
/** A flip that loses nothing leaves the same log to live on with, so that it is enough to do so now and then. */
const liveOnEvery = 16

/**
 * What a flipped bit must do:
 *
 * - `corrupt`: any bit of a batch that a later batch says was synced, or of a sealed segment below its end: the opening is refused.
 * - `unproven`: a batch of the last write, of which nothing on disk says yet that it was synced. It can't be distinguished from
 *   a torn write: the log ends before it, and says so.
 * - `tail`: the zeros after the end of the log: taken for the beginning of a torn write, and cut.
 *
 * The rest is harmless to an opening:
 *
 * - `header`: one copy of a header, for the other is used; or the bytes of the header block that hold nothing.
 * - `sealed tail`: what stands in a sealed segment's file after its end.
 */
type Effect = 'corrupt' | 'unproven' | 'tail' | 'header' | 'sealed tail'
/** What `log verify` says, which is asked for one bit of each byte. */
const verdicts = {
  corrupt: 'corrupt',
  unproven: 'torn',
  tail: 'torn',
  header: 'corrupt',
  'sealed tail': 'valid',
} as const

describe('a flipped bit of a log of three segments', () => {
  it(`is refused with file, offset and LSN where it was durable, and loses nothing elsewhere (${count} bits)`, () => {
    expect(log.segments).toHaveLength(3)
    expect(bits).toBe(491_520)
    const seen = new Map<Effect, number>()
    let nth = 0
    for (const place of places()) {
      const effect = flip(place, nth++ % liveOnEvery === 0)
      seen.set(effect, (seen.get(effect) ?? 0) + 1)
    }
    if (nth >= 4000) expect([...seen.keys()].sort()).toEqual(Object.keys(verdicts).sort())
  })
})

/** All bits, or in the short tier some at random: evenly spread ones would always be the same bits of their words. */
function* places(): Generator<number> {
  const random = new Random(1)
  const all = faultTier() === 'full' || count >= bits
  for (const place of faultPlaces(count, bits)) yield all ? place : random.int(bits)
}

function flip(place: number, live: boolean): Effect {
  let byte = place >> 3
  let index = 0
  while (byte >= log.segments[index]!.content.byteLength) byte -= log.segments[index++]!.content.byteLength
  const segment = log.segments[index]!
  const { effect, lsn } = effectOf(segment, byte)
  const where = () => `bit ${place & 7} of byte ${byte} of segment ${index} (${effect})`
  const { disk, files } = diskWith(log, ({ content }, i) => {
    if (i !== index) return content
    const flipped = Buffer.from(content)
    flipped[byte]! ^= 1 << (place & 7)
    return flipped
  })
  if ((byte + place) % 8 === 0) {
    const { verdict } = inspectLogNow(disk, inlineDirectory, {}, { settle: false })
    if (verdict !== verdicts[effect]) throw new Error(`${where()}: verify says ${verdict}`)
  }
  const opening = tryRecover(disk)
  if (effect === 'corrupt') {
    const offset = segmentHeaderBytes + lsn - segment.firstLsn
    expectRefusal(opening, files, disk, { file: segment.path, offset, lsn }, where)
    return effect
  }
  if ('refused' in opening) throw new Error(`${where()}: refused: ${opening.refused.message}`)
  const { endLsn, tornTail } = opening.log.report
  const cut = effect === 'unproven' || effect === 'tail'
  // The records of the last write that stay get a sync marker.
  const keptLsn = effect === 'unproven' ? lsn : log.endLsn
  if (endLsn !== (keptLsn > log.provenLsn ? keptLsn + batchHeaderBytes : keptLsn))
    throw new Error(`${where()}: the log ends at ${endLsn}`)
  if ((tornTail !== undefined) !== cut || (cut && tornTail?.lsn !== lsn))
    throw new Error(`${where()}: the torn tail is ${JSON.stringify(tornTail)}`)
  if (!live && effect !== 'unproven') return effect
  const kept = liveOn(disk, opening.log, log.written, where)
  const expected = log.written.filter((record) => record.lsn <= endLsn).length
  if (kept !== expected) throw new Error(`${where()}: ${kept} records and not ${expected} were kept`)
  return effect
}

/** What a flip of a byte does, and at which LSN it must be reported. */
function effectOf(segment: FaultSegment, byte: number): { effect: Effect; lsn: number } {
  const { firstLsn, endLsn, sealed, batches } = segment
  if (byte < segmentHeaderBytes) return { effect: 'header', lsn: firstLsn }
  const lsn = firstLsn + byte - segmentHeaderBytes
  if (lsn >= endLsn) return { effect: sealed ? 'sealed tail' : 'tail', lsn: endLsn }
  const batch = batches.find((one) => lsn < one.endLsn)!
  return { effect: batch.lsn < log.provenLsn ? 'corrupt' : 'unproven', lsn: batch.lsn }
}
