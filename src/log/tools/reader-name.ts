import { createHash } from 'node:crypto'

/**
 * The name of a reader's cursor, for a reader that was not given one: what it is, something that people know it by, and eight
 * digits that differ for others that are called the same. The same for the same identity.
 */
export function readerNameOf(what: string, label: string, identity: string): string {
  const digits = createHash('sha256').update(identity).digest('hex').slice(0, 8)
  const readable = label.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, 64 - what.length - digits.length - 2)
  return `${what}-${readable}-${digits}`
}
