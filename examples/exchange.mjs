// An exchange with a web page: node examples/exchange.mjs [folder] [port], then open the address that it prints.
import { createServer } from 'node:http'
import { EnginePool, TidemarkError } from 'tidemark'
import { followMarketData } from 'tidemark/market-data'

const [dir = './exchange-data', port = '8080'] = process.argv.slice(2)
const symbol = 'GOLD'
const pool = await EnginePool.open({ dir, instruments: [{ symbol, tickSize: '0.01', lotSize: '1' }] })
const feed = followMarketData(pool) // books and trades, made of what is on disk
await feed.ready

const html = `<!doctype html><meta charset="utf-8"><title>${symbol}</title>
<style>body { font: 16px system-ui; margin: 2em } table { float: left; margin-right: 3em } td { padding: 2px 12px; text-align: right }</style>
<h1>${symbol}</h1>
<form>account <input name="account" value="1" size="4"> <select name="side"><option>buy<option>sell</select>
<input name="quantity" value="1" size="5"> at <input name="price" value="1950.00" size="8"> <button>send</button> <output></output></form>
<table id="asks"></table><table id="bids"></table><table id="trades"></table>
<script>
const row = (cells) => '<tr>' + cells.map((cell) => '<td>' + cell).join('')
const show = (id, head, rows) => { document.getElementById(id).innerHTML = '<caption>' + head + '</caption>' + rows.map(row).join('') }
new EventSource('/events').onmessage = ({ data }) => {
  const { depth, trades } = JSON.parse(data)
  for (const side of ['bids', 'asks']) show(side, side, depth[side].map(({ price, quantity }) => [price, quantity]))
  show('trades', 'trades', trades.reverse().map(({ price, quantity, takerSide }) => [price, quantity, takerSide]))
}
const form = document.forms[0]
form.onsubmit = async (event) => {
  event.preventDefault()
  const answer = await fetch('/orders', { method: 'POST', body: JSON.stringify(Object.fromEntries(new FormData(form))) })
  form.querySelector('output').textContent = await answer.text()
}
</script>`

const server = createServer(async (request, response) => {
  const { method, url } = request
  if (method === 'GET' && url === '/') return response.setHeader('content-type', 'text/html').end(html)
  if (method === 'GET' && url === '/events') {
    const send = () => {
      const state = { depth: feed.data.depth(symbol, 10), trades: feed.data.trades(symbol, 10) }
      response.write(`data: ${JSON.stringify(state)}\n\n`)
    }
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
    const report = await pool.submit({ type: 'new', symbol, account: Number(account), side, orderType: 'limit', price, quantity })
    response.end(`order ${report.orderId}: ${report.status}`) // on disk
  } catch (error) {
    const isRefusal = error instanceof TidemarkError || error instanceof SyntaxError
    response.writeHead(isRefusal ? 400 : 500).end(isRefusal ? error.message : 'This failed.')
  }
})
server.listen(Number(port), '127.0.0.1', () => console.log('http://127.0.0.1:%d', Object(server.address()).port))

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    server.close().closeAllConnections()
    await feed.close()
    await pool.close()
  })
}
