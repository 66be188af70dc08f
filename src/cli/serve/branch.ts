import { KeyStore } from '../../server/index.js'
import { backupLog, backupText } from '../folder-backup.js'
import { requireLogOf } from '../log-folder.js'
import { keyFileOf } from './keys.js'

interface BranchFlags {
  readonly json?: boolean
}

/** Copies a venue's folder, with its keys, into a new one from which a second venue can be served. The first one may run meanwhile. */
export async function branch(dir: string, target: string, { json }: BranchFlags): Promise<void> {
  requireLogOf(dir, 'pool')
  const keys = new KeyStore(keyFileOf(dir))
  const report = await backupLog(dir, target, false)
  if (keys.size > 0) keys.copyTo(keyFileOf(target))
  const text = json
    ? JSON.stringify({ ...report, keys: keys.size })
    : `${backupText(report)}\n${keys.size} ${keys.size === 1 ? 'key came' : 'keys came'} along. Serve it: tidemark serve ${target} --port 8081`
  process.stdout.write(`${text}\n`)
}
