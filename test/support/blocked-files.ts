import { onTestFinished } from 'vitest'
import { isTemporaryName } from '#tidemark/log/atomic-file.js'
import { NodeDisk } from '#tidemark/log/node-disk.js'

export interface BlockedFiles {
  /** Atomic files that could not be created. */
  readonly tries: number
  release(): void
}

/** Until it is released, or the test is over, no atomic file can be created in a folder by this thread. */
export function blockAtomicFiles(folder: string, code = 'EIO'): BlockedFiles {
  // All disks of the machine share their asynchronous calls.
  const { async } = new NodeDisk()
  const { create } = async
  let tries = 0
  async.create = (path) => {
    if (!path.startsWith(`${folder}/`) || !isTemporaryName(path)) return create(path)
    tries++
    return Promise.reject(Object.assign(new Error(`${code}: create ${path}`), { code }))
  }
  const release = () => {
    async.create = create
  }
  onTestFinished(release)
  return {
    get tries() {
      return tries
    },
    release,
  }
}
