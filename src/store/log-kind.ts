import { kindIn, LogError, NodeDisk } from '../log/index.js'
import { type StoreKind, storeKinds } from './fold/log-fold.js'

/** The kind of the log in a folder. @throws LogError `TIDEMARK_LOG_KIND` for one that no store keeps, `TIDEMARK_LOG_IO`. */
export function logKindOf(dir: string): StoreKind {
  const found = kindIn(new NodeDisk(), dir)
  const kind = storeKinds.find((one) => one === found)
  if (kind) return kind
  throw new LogError(
    'TIDEMARK_LOG_KIND',
    found === undefined
      ? `There is no log in ${dir}.`
      : `${dir} holds a log of kind "${found}"; a store keeps logs of ${storeKinds.join(', ')}.`,
    { dir, found, expected: storeKinds },
  )
}
