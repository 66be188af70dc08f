// Opens a copy of a pool's folder, which replays and compares it, and says how far it goes.
import { EnginePool } from '../../dist/src/index.js'

const pool = await EnginePool.open({ dir: process.argv[2], checkpointBytes: 0 })
const { restingOrders } = await pool.digest()
process.stdout.write(`${JSON.stringify({ endLsn: pool.recovery.endLsn, restingOrders })}\n`)
await pool.close()
