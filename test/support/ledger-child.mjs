import { Ledger } from '#tidemark/ledger/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { ledgerAssets, ledgerCommand, ledgerMarkets } from './ledger-flow.mjs'
import { say } from './say.mjs'

// Sends a random flow of orders, deposits and withdrawals without end, and says one line for each deposit and withdrawal that is
// acknowledged, until it is killed. Segments and checkpoints are small and many, so that kills hit them.
const { DIR, SEED, SHARDS, IN_FLIGHT, LIFE } = process.env
const pool = await EnginePool.open({
  dir: DIR,
  shards: Number(SHARDS),
  ringBytes: 64 * 1024,
  segmentBytes: 16 * 1024,
  checkpointBytes: 24 * 1024,
  instruments: ledgerMarkets,
})
const ledger = await Ledger.open({ pool, assets: ledgerAssets })
let state = Number(SEED)
const below = (bound) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 0x1_0000_0000) * bound)
}
let number = 0

async function caller() {
  for (;;) {
    const { call, command } = ledgerCommand(below, Number(LIFE) * 1_000_000 + number++)
    try {
      const { lsn } = await ledger[call](command)
      if (call !== 'submit') say({ call, command, lsn })
    } catch (error) {
      if (error.name !== 'LedgerError') throw error
    }
  }
}
await ledger.setFees({ maker: '0.0003', taker: '0.001', key: `fees ${LIFE}` })
say('ready')
await Promise.all(Array.from({ length: Number(IN_FLIGHT) }, caller))
