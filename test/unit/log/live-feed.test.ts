import { describe, expect, it } from 'vitest'
import { type BatchChunk, wholeChunk } from '#tidemark/log/read/batch-walk.js'
import { LiveFeed } from '#tidemark/log/read/live-feed.js'

const bufferBytes = 64 * 1024
const invariant = expect.objectContaining({ code: 'TIDEMARK_INVARIANT' })

function chunk(startLsn: number, endLsn: number): BatchChunk {
  return wholeChunk(Buffer.alloc(endLsn - startLsn), startLsn, endLsn)
}

describe('a feed of readers that have caught up', () => {
  it('refuses a chunk that does not begin where the last one ended', () => {
    const feed = new LiveFeed()
    feed.begin(0)
    feed.publish(chunk(0, 64))
    expect(() => feed.publish(chunk(72, 80))).toThrowError(invariant)
    feed.publish(chunk(64, 80))
    expect(feed.position).toBe(80)
  })

  it('refuses to leave a gap in what a reader gets', () => {
    const feed = new LiveFeed()
    feed.begin(0)
    expect(feed.attach(0, bufferBytes)).toBeDefined()
    feed.publish(chunk(0, 64))
    // A tailer that begins elsewhere ends the feed first, so that no reader is attached.
    feed.begin(128)
    expect(() => feed.publish(chunk(128, 192))).toThrowError(invariant)
  })
})
