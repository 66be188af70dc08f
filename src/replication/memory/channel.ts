import { TidemarkError } from '../../base/errors.js'
import { ReplicationError, type ReplicationErrorCode } from '../../log/thread.js'
import { Compacted, type KeyChange, LeaseEnded } from '../kv/kv.js'

/** What threads say to the thread of a `MemoryCluster`, and what it says to them, over one channel that all of them hear. */
export type ToCluster =
  | {
      readonly kind: 'call'
      readonly from: string
      readonly id: number
      readonly client: string
      readonly method: CallName
      readonly args: readonly unknown[]
    }
  | {
      readonly kind: 'watch'
      readonly from: string
      readonly id: number
      readonly client: string
      readonly range: readonly [string, string]
      readonly revision: number
    }
  | { readonly kind: 'end-watch'; readonly from: string; readonly id: number }
  | { readonly kind: 'leave'; readonly from: string }

export type FromCluster =
  | { readonly kind: 'reply'; readonly to: string; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly to: string; readonly id: number; readonly error: ErrorText }
  | {
      readonly kind: 'changes'
      readonly to: string
      readonly id: number
      readonly changes: readonly KeyChange[]
    }

export type CallName = 'transact' | 'grantLease' | 'keepLease' | 'endLease' | 'compact'

export interface ErrorText {
  readonly kind: 'compacted' | 'lease-ended' | 'other'
  readonly code: string
  readonly message: string
}

export function toErrorText(error: unknown): ErrorText {
  const kind =
    error instanceof Compacted ? 'compacted' : error instanceof LeaseEnded ? 'lease-ended' : 'other'
  const code = error instanceof TidemarkError ? error.code : ''
  return { kind, code, message: error instanceof Error ? error.message : String(error) }
}

export function fromErrorText({ kind, code, message }: ErrorText): Error {
  if (kind === 'compacted') return new Compacted(message)
  if (kind === 'lease-ended') return new LeaseEnded()
  return code === '' ? new Error(message) : new ReplicationError(code as ReplicationErrorCode, message)
}
