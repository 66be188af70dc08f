import type { BatchDamage } from './batch-walk.js'

const sentences: Record<BatchDamage, string> = {
  truncated: 'the file ends within a frame',
  'bad-length': 'the length of a frame is not possible',
  'bad-lsn': 'a frame does not carry the LSN of its place',
  'bad-type': 'a frame has the type 0',
  'bad-crc': 'the CRC of a frame is wrong',
}

/** A reason in words: those that begin with the code of a damaged frame are translated, others are in words already. */
export function damageReason(reason: string): string {
  return reason.replace(/^[a-z-]+/, (code) => sentences[code as BatchDamage] ?? code)
}
