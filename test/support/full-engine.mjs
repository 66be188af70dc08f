import { ReplicationError } from '../../dist/src/log/thread.js'

/** The log of another engine, which has no room for entries while a word of shared memory says so; the next word counts those refused. */
export async function connect({ engine, isFull }, pool) {
  const { connect } = await import(engine.module)
  const log = await connect(engine.options, pool)
  const append = log.append.bind(log)
  const word = new Int32Array(isFull)
  log.append = async (epoch, entry) => {
    if (Atomics.load(word, 0) === 0) return append(epoch, entry)
    Atomics.add(word, 1, 1)
    throw new ReplicationError('TIDEMARK_REPLICATION_FULL', 'It is full.')
  }
  return log
}
