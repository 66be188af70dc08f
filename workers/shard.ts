import { runShardThread, type ShardThreadData } from '../src/pool/shard-thread.js'

export default function shard(data: ShardThreadData): void {
  runShardThread(data)
}
