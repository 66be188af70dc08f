import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase, decodeEvent, encodeBase, encodeEvent } from '#tidemark/jobs/events/event.js'
import { calculateChecksum, jobEventTypes, verifyChecksum } from '#tidemark/jobs/index.js'
import { codeOf } from './support/folders.js'

const plain = {
  seq: 7,
  type: 'RETRY',
  jobId: 'job-1',
  atMs: 1_700_000_000_000,
  detail: { delayMs: 5 },
} as const

function thrownBy(call: () => unknown): { code: string } & Record<string, unknown> {
  try {
    call()
  } catch (error) {
    return error as { code: string } & Record<string, unknown>
  }
  throw new Error('nothing was thrown')
}

describe('an event', () => {
  it('comes back from its record as it went in, whatever the id and the detail', () => {
    const events = fc.record({
      seq: fc.integer({ min: 1 }),
      type: fc.constantFrom(...jobEventTypes),
      jobId: fc.string({ unit: 'binary', minLength: 1 }),
      atMs: fc.nat(),
      detail: fc.dictionary(fc.string(), fc.jsonValue()),
    })
    fc.assert(
      fc.property(events, (given) => {
        const detail = JSON.parse(JSON.stringify(given.detail))
        const { text } = encodeEvent(given.seq, given.type, given.jobId, given.atMs, JSON.stringify(detail))
        const event = decodeEvent(Buffer.from(text))
        expect(event).toEqual({ ...given, detail, checksum: event.checksum })
        expect(verifyChecksum(event)).toBe(true)
      }),
      { numRuns: 40 },
    )
  })

  it('has a checksum that every field takes part in', () => {
    const checksum = calculateChecksum(plain)
    const others = [
      { ...plain, seq: 8 },
      { ...plain, type: 'ACK' as const },
      { ...plain, jobId: 'job-2' },
      { ...plain, atMs: plain.atMs + 1 },
      { ...plain, detail: { delayMs: 6 } },
    ]
    for (const other of others) expect(calculateChecksum(other)).not.toBe(checksum)
    expect(verifyChecksum({ ...plain, checksum })).toBe(true)
    expect(verifyChecksum({ ...plain, jobId: 'job-2', checksum })).toBe(false)
  })

  it('has the checksum of the form that is documented', () => {
    const form = '1:75:RETRY13:17000000000007:"job-1"13:{"delayMs":5}'
    expect(calculateChecksum(plain)).toBe(crc32(form))
  })

  it('has another checksum when characters only move from one field to the next', () => {
    expect(calculateChecksum({ ...plain, seq: 1, atMs: 23 })).not.toBe(
      calculateChecksum({ ...plain, seq: 12, atMs: 3 }),
    )
    const a = { ...plain, jobId: 'a', detail: { b: 1 } }
    const b = { ...plain, jobId: 'a"{"b":1}', detail: {} }
    expect(calculateChecksum(a)).not.toBe(calculateChecksum(b))
  })

  it('whose checksum does not fit is refused with the sequence and both checksums', () => {
    const { text, checksum } = encodeEvent(7, 'ACK', 'job-1', 1, '{"attemptId":3}')
    const error = thrownBy(() => decodeEvent(Buffer.from(text.replace('job-1', 'job-2'))))
    expect(error.code).toBe('TIDEMARK_JOB_CHECKSUM')
    expect(error).toMatchObject({ seq: 7, actual: checksum })
    expect(error['expected']).not.toBe(checksum)
  })

  it.each([
    'not json',
    '3',
    'null',
    '{}',
    '{"seq":0,"type":"ACK","jobId":"a","atMs":1,"detail":{},"checksum":1}',
    '{"seq":1,"type":"NEW","jobId":"a","atMs":1,"detail":{},"checksum":1}',
    '{"seq":1,"type":"ACK","jobId":"","atMs":1,"detail":{},"checksum":1}',
    '{"seq":1,"type":"ACK","jobId":"a","atMs":0.5,"detail":{},"checksum":1}',
    '{"seq":1,"type":"ACK","jobId":"a","atMs":1,"detail":[],"checksum":1}',
    '{"seq":1,"type":"ACK","jobId":"a","atMs":1,"detail":null,"checksum":1}',
    '{"seq":1,"type":"ACK","jobId":"a","atMs":1,"detail":{},"checksum":4294967296}',
  ])('is not read from %s', (text) => {
    expect(thrownBy(() => decodeEvent(Buffer.from(text))).code).toBe('TIDEMARK_JOB_LOG_CORRUPT')
  })

  it('with a detail that JSON cannot hold is refused', () => {
    const detail: Record<string, unknown> = {}
    detail['self'] = detail
    expect(codeOf(thrownBy(() => calculateChecksum({ ...plain, detail })))).toBe('TIDEMARK_JOB_BAD_EVENT')
  })
})

describe('a base record', () => {
  it('holds a sequence number', () => {
    expect(decodeBase(encodeBase(12))).toBe(12)
  })

  it.each(['x', 'null', '{}', '{"base":-1}', '{"base":"1"}'])('is not read from %s', (text) => {
    expect(decodeBase(Buffer.from(text))).toBeUndefined()
  })
})
