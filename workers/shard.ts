import type { MessagePort } from 'node:worker_threads'
import { runShardThread, type ShardThreadData } from '../src/pool/shard-thread.js'

/** Waits for what there is to do, and does it until the pool closes. */
export default async function shard({ port }: { port: MessagePort }): Promise<void> {
  const data = await new Promise<ShardThreadData>((resolve) => port.once('message', resolve))
  port.close()
  runShardThread(data)
}
