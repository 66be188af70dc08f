// The order ticket. It sends what any client could: requests of the dialect, signed with the key that was typed in.
import { by, setText } from './elements.js'

const form = by('ticket')
const answer = by('answer')
let symbol = ''

export function drawTicket(newSymbol, market) {
  symbol = market ? newSymbol : ''
  setText(by('quantity-unit'), market ? `in ${market.baseAsset}` : '')
  setText(by('price-unit'), market ? `in ${market.quoteAsset}` : '')
}

/** A signed request; resolves with the answer's body. Rejects with what refused it, in words. */
async function send(verb, path, values) {
  const { apiKey, secret } = Object.fromEntries(new FormData(form))
  const query = new URLSearchParams({ ...values, timestamp: Date.now() }).toString()
  const signature = await sign(secret.trim(), query)
  let response
  try {
    response = await fetch(`/api/v3${path}?${query}&signature=${signature}`, {
      method: verb,
      headers: { 'X-MBX-APIKEY': apiKey.trim() },
      credentials: 'omit',
    })
  } catch {
    throw new Error('No answer came: whether it was taken is not known.')
  }
  const body = await response.json()
  if (!response.ok) throw new Error(`${body.code}: ${body.msg}`)
  return body
}

async function sign(secret, text) {
  if (!globalThis.crypto?.subtle)
    throw new Error('This browser signs on pages of this machine or over https only: open the page so.')
  const bytes = new TextEncoder()
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', bytes.encode(secret), algorithm, false, ['sign'])
  const signature = new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes.encode(text)))
  return [...signature].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Shows what came of a request; meanwhile no other is sent. */
async function report(request) {
  const buttons = form.querySelectorAll('button')
  if (!symbol || form.dataset.busy) return
  form.dataset.busy = 'yes'
  for (const button of buttons) button.setAttribute('aria-disabled', 'true')
  setText(answer, 'sent')
  try {
    setText(answer, await request())
    answer.dataset.refused = 'no'
  } catch (error) {
    setText(answer, error.message)
    answer.dataset.refused = 'yes'
  }
  delete form.dataset.busy
  for (const button of buttons) button.removeAttribute('aria-disabled')
}

function placeOrder(side) {
  const { type, quantity, price } = Object.fromEntries(new FormData(form))
  return report(async () => {
    const order = await send('POST', '/order', {
      symbol,
      side,
      type,
      quantity: quantity.trim(),
      ...(type !== 'MARKET' && { price: price.trim() }),
      ...(type === 'LIMIT' && { timeInForce: 'GTC' }),
    })
    return `Order ${order.orderId}: ${order.status}, ${order.executedQty} of ${order.origQty} executed.`
  })
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  placeOrder(event.submitter?.value ?? 'BUY')
})
by('cancel-all').addEventListener('click', () => {
  if (!form.elements.apiKey.reportValidity() || !form.elements.secret.reportValidity()) return
  report(async () => {
    const orders = await send('DELETE', '/openOrders', { symbol })
    return orders.length === 1 ? '1 order was cancelled.' : `${orders.length} orders were cancelled.`
  })
})
form.elements.type.addEventListener('change', () => {
  const isMarket = form.elements.type.value === 'MARKET'
  form.elements.price.disabled = isMarket
})
