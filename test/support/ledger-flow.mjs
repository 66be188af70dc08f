export const ledgerMarkets = ['AAA', 'BBB'].map((base) => ({
  symbol: `${base}-USD`,
  tickSize: '1',
  lotSize: '1',
  baseAsset: base,
  quoteAsset: 'USD',
}))
export const ledgerAssets = [
  { id: 'USD', scale: 2 },
  { id: 'AAA', scale: 2 },
  { id: 'BBB', scale: 2 },
]

/** One call of a ledger with its command, of a random flow: `below(n)` is a whole number below n. */
export function ledgerCommand(below, number) {
  const account = 1 + below(9)
  const asset = ledgerAssets[below(3)].id
  const kind = below(21)
  const key = `key ${number}`
  if (kind < 3) return { call: 'deposit', command: { account, asset, amount: 1 + below(2000), key } }
  if (kind < 4) return { call: 'withdraw', command: { account, asset, amount: 1 + below(500), key } }
  if (kind < 5) {
    return {
      call: 'transfer',
      command: { from: account, to: account + 1, asset, amount: 1 + below(500), key },
    }
  }
  if (kind === 20) return { call: 'setLimits', command: { account, asset, credit: below(3) * 300, key } }
  const { symbol } = ledgerMarkets[below(2)]
  const orderId = number
  if (kind < 7)
    return { call: 'submit', command: { type: 'cancel', symbol, orderId: orderId - 1 - below(40) } }
  const price = 5 + below(4)
  if (kind < 8) {
    const command = {
      type: 'replace',
      symbol,
      orderId: orderId - 1 - below(40),
      price,
      quantity: 1 + below(20),
    }
    return { call: 'submit', command }
  }
  const order = { type: 'new', symbol, account, orderId, side: below(2) ? 'buy' : 'sell' }
  const quantity = 1 + below(20)
  const timeInForce = kind < 10 ? 'IOC' : 'GTC'
  return { call: 'submit', command: { ...order, orderType: 'limit', price, quantity, timeInForce } }
}
