import { describe, expect, it } from 'vitest'
import { EntryCursor, entryKind, textWords, writeHead } from '#tidemark/factors/entries.js'

/** A cursor at a text entry that says `text`. */
function cursorAt(kind: number, text: string): EntryCursor {
  const bytes = Buffer.from(text)
  const words = new ArrayBuffer(textWords(bytes.byteLength) * 8)
  writeHead(new Int32Array(words), new Float64Array(words), 0, kind, 0, 0, 0, bytes.byteLength)
  bytes.copy(Buffer.from(words), 16)
  const cursor = new EntryCursor()
  cursor.reset(new Int32Array(words), 0, words.byteLength / 4, 800)
  expect(cursor.next()).toBe(true)
  return cursor
}

describe('a text of a log of factors', () => {
  it.each([
    ['series', 'null'],
    ['series', '7'],
    ['series', '{"instrument":"BTC"}'],
    ['series', '{"instrument":"BTC","factors":"ma"}'],
    ['series', '{"instrument":1,"factors":[]}'],
    ['series', '{"instrument":"BTC","factors":["ma"],"definitions":[["ma"]]}'],
    ['series', '{"instrument":"BTC","factors":["ma"],"definitions":{}}'],
    ['checkpoint', '{"lsn":8}'],
    ['checkpoint', '{"checkpointId":"a","lsn":"8"}'],
    ['checkpoint', '{'],
  ] as const)('of a %s entry that says %s is refused', (kind, text) => {
    const wanted = expect.objectContaining({ code: 'TIDEMARK_FACTOR_LOG_CORRUPT', details: { lsn: 800 } })
    expect(() => cursorAt(entryKind[kind], text).text()).toThrowError(wanted)
  })

  it('is read only when it has the fields of its kind', () => {
    const series = { instrument: 'BTC', factors: ['ma'], definitions: [['ma', 'mean(last, 5)']] }
    expect(cursorAt(entryKind.series, JSON.stringify(series)).text()).toEqual(series)
    const sent = { instrument: 'BTC', factors: [] }
    expect(cursorAt(entryKind.series, JSON.stringify(sent)).text()).toEqual(sent)
    const checkpoint = { checkpointId: 'a', lsn: 8 }
    expect(cursorAt(entryKind.checkpoint, JSON.stringify(checkpoint)).text()).toEqual(checkpoint)
  })
})
