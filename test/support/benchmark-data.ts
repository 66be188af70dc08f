import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import {
  encodeCancel,
  encodeNew,
  encodeReplace,
  type InstrumentDefinition,
} from '#tidemark/matching/index.js'

const here = dirname(fileURLToPath(import.meta.url))

/** The folder of the matching-engine-benchmark data: below `TIDEMARK_DATA`, or beside the checkout. */
export const benchmarkFolder = join(
  process.env['TIDEMARK_DATA'] ?? resolve(here, '../../../shared/data'),
  'matching-engine-benchmark',
)

export const hasBenchmarkData = existsSync(join(benchmarkFolder, 'normal_seed23.bin.gz'))

/** The SHA-256 that the benchmark's authors publish for the reports of `normal_seed23.bin.gz`. */
export const normalSha256 = 'e9b2e3926854410b01a035aeb25dd05f1e597c233be8263de9eb49b6713d367e'

/** The workload knows one instrument, on which a modify always loses priority. */
export const benchmarkInstrument: InstrumentDefinition = {
  instrumentId: 0,
  symbol: 'BENCH',
  tickSize: '1',
  lotSize: '1',
  replacePriority: 'always-lose',
  selfTradePrevention: 'none',
}

/** One message of the workload: type 0 new, 1 cancel, 2 modify; side 0 buy, 1 sell. */
export interface BenchmarkMessage {
  type: number
  side: number
  ioc: number
  qty: number
  order_id: number
  price: number
}

export interface EdgeCase {
  messages: BenchmarkMessage[]
  expected_reports: string[]
  /** After each message: best bid, best ask, open quantity of the bids, of the asks. */
  bbo_and_total_qty_after_each: [number | null, number | null, number, number][]
}

export function readEdgeCases(): Record<string, EdgeCase> {
  return JSON.parse(readFileSync(join(benchmarkFolder, 'edge_cases.json'), 'utf8')) as Record<
    string,
    EdgeCase
  >
}

/** Reads the binary workload and hands each message to `visit`, together with its sequence number. */
export function forEachNormalMessage(visit: (message: BenchmarkMessage, seq: number) => void): number {
  const bytes = gunzipSync(readFileSync(join(benchmarkFolder, 'normal_seed23.bin.gz')))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = view.getUint32(12, true)
  const message: BenchmarkMessage = { type: 0, side: 0, ioc: 0, qty: 0, order_id: 0, price: 0 }
  for (let i = 0; i < count; i++) {
    const at = 16 + i * 40
    message.type = view.getUint8(at)
    message.side = view.getUint8(at + 1)
    message.ioc = view.getUint8(at + 2)
    message.qty = view.getUint32(at + 4, true)
    message.order_id = u64(view, at + 16)
    message.price = u64(view, at + 24)
    visit(message, u64(view, at + 8))
  }
  return count
}

/** Encodes a message as a command of the benchmark's instrument, with `tag` as its tag; returns the words used. */
export function encodeMessage(words: Int32Array, at: number, message: BenchmarkMessage, tag: number): number {
  const id = benchmarkInstrument.instrumentId
  const { type, side, ioc, qty, order_id: orderId, price } = message
  const [low, high] = [tag | 0, (tag / 4294967296) | 0]
  if (type === 0) {
    return encodeNew(words, at, id, low, high, orderId, 0, side, 0, ioc, 0, 0, price, qty, 0, 0, 0, 0)
  }
  if (type === 1) return encodeCancel(words, at, id, low, high, orderId, -1, 0)
  return encodeReplace(words, at, id, low, high, orderId, price, qty, -1, 0)
}

function u64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 4294967296
}
