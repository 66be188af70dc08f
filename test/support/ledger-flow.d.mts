import type { Command, InstrumentOptions } from '#tidemark/pool/index.js'

export const ledgerMarkets: InstrumentOptions[]
export const ledgerAssets: { readonly id: string; readonly scale: number }[]
export function ledgerCommand(
  below: (bound: number) => number,
  number: number,
): { readonly call: 'submit' | 'deposit' | 'withdraw' | 'transfer'; readonly command: Command }
