import type { BatchDamage } from './batch-walk.js'

const sentences: Record<BatchDamage, string> = {
  truncated: 'the file ends within a batch',
  'bad-length': 'the length of a batch is not possible',
  'bad-lsn': 'a batch does not carry the LSN of its place',
  'bad-records': 'the records of a batch do not fill it',
  'bad-crc': 'the CRC of a batch is wrong',
}

/** A reason in words: those that begin with the code of a damaged batch are translated, others are in words already. */
export function damageReason(reason: string): string {
  return reason.replace(/^[a-z-]+/, (code) => sentences[code as BatchDamage] ?? code)
}
