// The market of a game: players trade items for gold that they have, and no bug or crash makes gold. node examples/game-market.mjs [folder]
import { EnginePool } from 'tidemark'
import { Ledger, LedgerError } from 'tidemark/ledger'

const dir = process.argv[2] ?? './game-data'
const players = { ada: 1, bo: 2, cy: 3 }
const pool = await EnginePool.open({
  dir,
  instruments: ['SWORD', 'POTION'].map((item) => ({
    symbol: `${item}/GOLD`,
    tickSize: '1', // gold comes in whole pieces, and so do items
    lotSize: '1',
    baseAsset: item,
    quoteAsset: 'GOLD',
  })),
})
const ledger = await Ledger.open({
  pool,
  assets: ['GOLD', 'SWORD', 'POTION'].map((id) => ({ id, scale: 0 })),
})

// What a quest gives has a key of its own: it is given once, however often this runs.
for (const [name, account] of Object.entries(players)) {
  await ledger.deposit({ account, asset: 'GOLD', amount: 1000, key: `welcome ${name}` })
}
await ledger.deposit({ account: players.ada, asset: 'SWORD', amount: 3, key: 'dragon ada' })
await ledger.deposit({ account: players.bo, asset: 'POTION', amount: 20, key: 'garden bo' })

// What is offered is held until it is sold or taken back, so a player sells nothing twice.
const { ada, bo, cy } = players
for (const account of [ada, bo]) await pool.submit({ type: 'cancel-all', account })
if (Number(ledger.balance(ada, 'SWORD').free) >= 1) {
  await ledger.submit({
    type: 'new',
    symbol: 'SWORD/GOLD',
    account: ada,
    side: 'sell',
    orderType: 'limit',
    price: 300,
    quantity: 1,
  })
}
if (Number(ledger.balance(bo, 'POTION').free) >= 5) {
  await ledger.submit({
    type: 'new',
    symbol: 'POTION/GOLD',
    account: bo,
    side: 'sell',
    orderType: 'limit',
    price: 12,
    quantity: 5,
  })
}

async function buy(account = 0, symbol = '', quantity = 0, price = 0) {
  try {
    const report = await ledger.submit({
      type: 'new',
      symbol,
      account,
      side: 'buy',
      orderType: 'limit',
      timeInForce: 'IOC',
      price,
      quantity,
    })
    for (const trade of report.trades) console.log(`bought ${trade.quantity} of ${symbol} at ${trade.price}`)
  } catch (error) {
    if (!(error instanceof LedgerError && error.code === 'TIDEMARK_INSUFFICIENT_FUNDS')) throw error
    console.log(`refused: ${error.message}`)
  }
}
await buy(cy, 'SWORD/GOLD', 1, 310)
await buy(cy, 'POTION/GOLD', 3, 15)
await buy(cy, 'SWORD/GOLD', 1, 999_999) // more than cy has

for (const [name, account] of Object.entries(players)) {
  const purse = ledger
    .balances(account)
    .balances.map(({ asset, total, held }) => `${total} ${asset}${held === '0' ? '' : ` (${held} held)`}`)
  console.log(`${name.padEnd(4)} ${purse.join(', ')}`)
}
await pool.close()
