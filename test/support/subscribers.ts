import type { PoolEvent, Subscription } from '#tidemark/pool/index.js'

/** The next so many events. */
export async function take(subscription: Subscription, count: number): Promise<PoolEvent[]> {
  const events: PoolEvent[] = []
  while (events.length < count) {
    const { value, done } = await subscription.next()
    if (done) break
    events.push(value)
  }
  return events
}

/** Everything up to the record that ends at an LSN. */
export async function takeUpTo(subscription: Subscription, lsn: number): Promise<PoolEvent[]> {
  const events: PoolEvent[] = []
  while (subscription.deliveredLsn < lsn) {
    const { value, done } = await subscription.next()
    if (done) break
    events.push(value)
  }
  return events
}

/** Where an event stands, as text: comparing these is cheap. */
export function placeOf({ lsn, index, event }: PoolEvent): string {
  return `${lsn}/${index} ${event}`
}
