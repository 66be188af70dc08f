// An exchange with a web page: node examples/exchange.mjs [folder] [port], then open the address that it prints.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { EnginePool, TidemarkError } from 'tidemark'
import { followMarketData } from 'tidemark/market-data'

const [dir = './exchange-data', port = '8080'] = process.argv.slice(2)
const symbol = 'GOLD'
const pool = await EnginePool.open({ dir, instruments: [{ symbol, tickSize: '0.01', lotSize: '1' }] })
const feed = followMarketData(pool) // books and trades, made of what is on disk
await feed.ready
const html = readFileSync(new URL('./exchange.html', import.meta.url))

const server = createServer(async (request, response) => {
  const { method, url } = request
  if (method === 'GET' && url === '/') return response.setHeader('content-type', 'text/html').end(html)
  if (method === 'GET' && url === '/events') {
    const state = () =>
      JSON.stringify({ depth: feed.data.depth(symbol, 10), trades: feed.data.trades(symbol, 10) })
    const send = () => response.write(`data: ${state()}\n\n`)
    response.setHeader('content-type', 'text/event-stream')
    feed.data.on('update', send)
    request.on('close', () => feed.data.off('update', send))
    return send()
  }
  if (method !== 'POST' || url !== '/orders') return response.writeHead(404).end()
  let body = ''
  for await (const part of request) if (body.length < 1000) body += part
  try {
    const { account, side, price, quantity } = JSON.parse(body)
    const report = await pool.submit({
      type: 'new',
      symbol,
      account: Number(account),
      side,
      orderType: 'limit',
      price,
      quantity,
    })
    response.end(`order ${report.orderId}: ${report.status}`) // on disk
  } catch (error) {
    const isRefusal = error instanceof TidemarkError || error instanceof SyntaxError
    response.writeHead(isRefusal ? 400 : 500).end(isRefusal ? error.message : 'This failed.')
  }
})
server.listen(Number(port), '127.0.0.1', () =>
  console.log('http://127.0.0.1:%d', Object(server.address()).port),
)

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    server.close().closeAllConnections()
    await feed.close()
    await pool.close()
  })
}
