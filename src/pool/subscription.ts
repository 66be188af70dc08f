import type { LogReader } from '../log/index.js'
import type { InstrumentRegistry } from './instruments.js'
import { poolEvents } from './pool-events.js'
import { groupType } from './records.js'
import { wordsOf } from './replay.js'
import type { PoolEvent } from './types.js'

/** The durable events of a log, in LSN order and without gaps. */
export async function* subscription(
  reader: LogReader,
  registry: InstrumentRegistry,
): AsyncGenerator<PoolEvent> {
  for await (const record of reader) {
    if (record.type !== groupType) continue
    const words = wordsOf(record)
    yield* poolEvents({ words, from: 0, to: words.length, lsn: record.lsn }, registry)
  }
}
