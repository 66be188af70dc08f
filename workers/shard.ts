import type { MessagePort } from 'node:worker_threads'
import type { RestoredBooks } from '../src/pool/shard/replay.js'
import {
  restoreAhead,
  runShardThread,
  type ShardForecast,
  type ShardThreadData,
} from '../src/pool/shard/shard-thread.js'

type ShardOrder =
  | { readonly forecast: ShardForecast }
  | { readonly data: ShardThreadData }
  | { readonly end: true }

/** Restores the snapshots that it is sent, waits for what there is to do, and does it until the pool closes. */
export default async function shard({ port }: { port: MessagePort }): Promise<void> {
  let restored: RestoredBooks | undefined
  let restoredPath = ''
  const data = await new Promise<ShardThreadData | undefined>((resolve) => {
    port.on('message', (message: ShardOrder) => {
      if ('data' in message) resolve(message.data)
      else if ('end' in message) resolve(undefined)
      else {
        // Released first: the books of two snapshots may not fit into memory.
        restored = undefined
        const { books, message: answer } = restoreAhead(message.forecast)
        restored = books
        restoredPath = message.forecast.snapshot.path
        port.postMessage(answer)
      }
    })
  })
  port.close()
  if (data) runShardThread(data, data.snapshot?.path === restoredPath ? restored : undefined)
}
