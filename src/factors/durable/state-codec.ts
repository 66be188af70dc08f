import type { EngineState, InstrumentState } from '../engine/engine.js'
import { FactorError } from '../errors.js'

/** The state of an instrument, and up to which LSN its ticks are in it. */
export interface PlacedState extends InstrumentState {
  /** Absent: the snapshot's own LSN. */
  readonly lsn?: number | undefined
}

/**
 * The bytes of a state: their JSON's length (float64), JSON {instruments: [{name, history, cells, lsn}]} with zeros up
 * to a multiple of 8, then the cells of each as they are in memory (float64, little-endian).
 */
export function encodeState(state: { readonly instruments: readonly PlacedState[] }): Uint8Array {
  const instruments = state.instruments.map(({ name, history, cells, lsn }) => ({
    name,
    history,
    cells: cells.length,
    lsn,
  }))
  const head = Buffer.from(JSON.stringify({ instruments }))
  const cellsAt = 8 + Math.ceil(head.byteLength / 8) * 8
  const total = state.instruments.reduce((sum, { cells }) => sum + cells.byteLength, cellsAt)
  const bytes = Buffer.alloc(total)
  bytes.writeDoubleLE(head.byteLength, 0)
  head.copy(bytes, 8)
  let at = cellsAt
  for (const { cells } of state.instruments) {
    bytes.set(new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength), at)
    at += cells.byteLength
  }
  return bytes
}

/** @throws FactorError `TIDEMARK_BAD_STATE`. */
export function decodeState(
  bytes: Uint8Array,
): EngineState & { readonly instruments: readonly PlacedState[] } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    const headBytes = view.readDoubleLE(0)
    const { instruments } = JSON.parse(view.toString('utf8', 8, 8 + headBytes))
    let at = 8 + Math.ceil(headBytes / 8) * 8
    const states = (
      instruments as { name: string; history: InstrumentState['history']; cells: number; lsn?: number }[]
    ).map(({ name, history, cells, lsn }) => {
      const copy = Uint8Array.from(view.subarray(at, at + cells * 8))
      at += cells * 8
      return { name, history, lsn, cells: new Float64Array(copy.buffer) }
    })
    if (at !== bytes.byteLength) throw new RangeError(`${bytes.byteLength} bytes where ${at} were said to be`)
    return { instruments: states }
  } catch (cause) {
    throw new FactorError(
      'TIDEMARK_BAD_STATE',
      'The state is not one of a factor engine; restore it with what saved it.',
      { bytes: bytes.byteLength },
      { cause },
    )
  }
}
