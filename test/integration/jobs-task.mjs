/** What worker threads run in the tests of Piscina handlers. */
export default async function task({ payload, attempt }) {
  if (payload.throws) throw new Error('boom')
  if (attempt === 1 && payload.exitsOnFirst) process.exit(1)
  if (attempt === 1 && payload.hangsOnFirst) for (;;);
  return attempt === 2 ? 'second' : payload.a + payload.b
}

export const named = () => 'named'
