import { GroupWalk } from '../log/group-walk.js'
import type { LogReader } from '../log/index.js'
import type { InstrumentRegistry } from './instruments.js'
import { appendPoolEvents } from './pool-events.js'
import { groupType } from './records.js'
import type { PoolEvent } from './types.js'

/** The durable events of a log, in LSN order and without gaps. */
export function subscription(
  reader: LogReader,
  registry: InstrumentRegistry,
): AsyncIterableIterator<PoolEvent> {
  let events: PoolEvent[] = []
  const walk = new GroupWalk({
    visit(words, from, to, lsn, type) {
      if (type === groupType) appendPoolEvents(events, { words, from, to, lsn }, registry)
    },
  })
  return reader.iterate((chunk) => {
    events = []
    walk.walk(chunk)
    return events
  })
}
