import type { MessagePort } from 'node:worker_threads'
import type { RestoredBooks } from '../src/pool/replay.js'
import {
  restoreAhead,
  runShardThread,
  type ShardForecast,
  type ShardThreadData,
} from '../src/pool/shard-thread.js'

/** Restores the snapshot that it is told of, waits for what there is to do, and does it until the pool closes. */
export default async function shard({ port }: { port: MessagePort }): Promise<void> {
  let restored: RestoredBooks | undefined
  const data = await new Promise<ShardThreadData>((resolve) => {
    port.on('message', (message: { forecast: ShardForecast } | { data: ShardThreadData }) => {
      if ('data' in message) resolve(message.data)
      else restored = restoreAhead(message.forecast)
    })
  })
  port.close()
  runShardThread(data, restored)
}
