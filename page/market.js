// What a symbol does: its ticker and phase, the best prices, the last trades. Prices and quantities stand here as the API gives them.
import { by, drawFigures, drawRows, setText, timeText } from './elements.js'

const levelsShown = 18

const phases = {
  continuous: 'continuous trading',
  'pre-open': 'pre-open: orders are gathered',
  auction: 'auction: orders are gathered, and cancelled by none',
  halted: 'halted',
  closed: 'closed',
}

export function drawMarket(symbol, market) {
  setText(by('market-title'), symbol || 'No symbol is served')
  document.title = market ? `${market.ticker.lastPrice} ${symbol} tidemark` : 'tidemark'
  by('phase').dataset.phase = market?.phase ?? ''
  setText(by('phase'), market ? (phases[market.phase] ?? market.phase) : '')
  drawTicker(market)
  drawIndicative(market)
  drawDepth(market?.bids ?? [], market?.asks ?? [])
  drawTrades(market?.trades ?? [])
}

function drawTicker(market) {
  if (!market) return drawFigures(by('ticker'), [])
  const { ticker, baseAsset, quoteAsset } = market
  const isThere = ticker.count > 0 || Number(ticker.lastPrice) > 0
  const sign = Number(ticker.priceChange) > 0 ? '▲ ' : Number(ticker.priceChange) < 0 ? '▼ ' : ''
  drawFigures(by('ticker'), [
    ['Last', isThere ? ticker.lastPrice : 'none'],
    ['Change, 24 h', `${sign}${ticker.priceChange} (${ticker.priceChangePercent} %)`],
    ['High, 24 h', isThere ? ticker.highPrice : 'none'],
    ['Low, 24 h', isThere ? ticker.lowPrice : 'none'],
    [`Volume, 24 h, ${baseAsset}`, ticker.volume],
    [`Amount, 24 h, ${quoteAsset}`, ticker.quoteVolume],
    ['Trades, 24 h', ticker.count],
  ])
}

/** What an uncross would give, while orders are gathered. */
function drawIndicative(market) {
  const line = by('indicative')
  const { indicative, baseAsset, quoteAsset } = market ?? {}
  line.hidden = !indicative
  if (!indicative) return setText(line, '')
  const { price, quantity, surplus, surplusSide } = indicative
  if (price === null) return setText(line, 'Indicative price: none, nothing would trade.')
  const rest = Number(surplus) > 0 ? `; ${surplus} ${baseAsset} more to ${surplusSide}` : ''
  setText(line, `Indicative price: ${price} ${quoteAsset}, ${quantity} ${baseAsset} would trade${rest}.`)
}

function drawDepth(allBids, allAsks) {
  const bids = allBids.slice(0, levelsShown)
  const asks = allAsks.slice(0, levelsShown)
  const most = Math.max(...bids.map(([, size]) => Number(size)), ...asks.map(([, size]) => Number(size)), 0)
  const rows = Array.from({ length: Math.max(bids.length, asks.length) }, (_, i) => {
    const [bid = '', bidSize = ''] = bids[i] ?? []
    const [ask = '', askSize = ''] = asks[i] ?? []
    return [bidSize, bid, ask, askSize]
  })
  drawRows(by('depth'), rows, (cell, column) => {
    cell.className = column < 2 ? 'bid' : 'ask'
    if (column === 0) drawBar(cell, most, 'bid', 'left')
    else if (column === 3) drawBar(cell, most, 'ask', 'right')
  })
}

/** A bar from the middle of the table outwards, as long as the size is large. */
function drawBar(cell, most, side, towards) {
  const part = most === 0 ? 0 : (Number(cell.textContent) / most) * 100
  cell.classList.add('bar')
  cell.style.backgroundImage = `linear-gradient(to ${towards}, var(--${side}-back) ${part.toFixed(1)}%, transparent ${part.toFixed(1)}%)`
}

function drawTrades(trades) {
  const rows = trades
    .toReversed()
    .map(({ time, isBuyerMaker, price, qty }) => [
      timeText(time),
      isBuyerMaker ? '▼ sells' : '▲ buys',
      price,
      qty,
    ])
  drawRows(by('trades'), rows, (cell, column, row) => {
    if (column === 1 || column === 2) cell.className = rows[row][1] === '▲ buys' ? 'bid' : 'ask'
  })
}
