// Opens a pool, has one order acknowledged, and says how long each part took since the process started.
const loadedFromMs = performance.now()
const { EnginePool } = await import('../../dist/src/index.js')
const openedFromMs = performance.now()
const [, , dir, shards] = process.argv
const instruments = [{ symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.001' }]
const pool = await EnginePool.open({ dir, shards: Number(shards), instruments })
const orderedFromMs = performance.now()
await pool.submit({
  type: 'new',
  symbol: 'BTC-USD',
  orderId: Date.now(),
  account: 1,
  side: 'buy',
  orderType: 'limit',
  price: '100',
  quantity: '1',
})
const endedMs = performance.now()
process.stdout.write(
  JSON.stringify({
    nodeMs: loadedFromMs,
    loadMs: openedFromMs - loadedFromMs,
    openMs: orderedFromMs - openedFromMs,
    orderMs: endedMs - orderedFromMs,
    endedAtMs: performance.timeOrigin + endedMs,
  }),
)
await pool.close()
