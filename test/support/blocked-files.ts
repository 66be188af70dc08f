import { onTestFinished } from 'vitest'
import { isTemporaryName } from '#tidemark/log/disk/atomic-file.js'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { ioError } from '#tidemark/log/errors.js'
import { Snapshots } from '#tidemark/pool/checkpoint/snapshots.js'

export interface BlockedFiles {
  /** Atomic files that could not be created. */
  readonly tries: number
  release(): void
}

/**
 * Until it is released, or the test is over, no atomic file can be created in a folder by this thread, nor a snapshot by
 * the thread of a pool.
 */
export function blockAtomicFiles(folder: string, code = 'EIO'): BlockedFiles {
  // All disks of the machine share their asynchronous calls.
  const { async } = new NodeDisk()
  const { create } = async
  const { begin } = Snapshots.prototype
  let tries = 0
  const failure = (path: string) => Object.assign(new Error(`${code}: create ${path}`), { code })
  Snapshots.prototype.begin = function () {
    if (this.directory !== folder) return begin.call(this)
    tries++
    const copied = Promise.reject(ioError('create', folder, failure(folder)))
    return { copied, publish: () => copied, discard: async () => {} }
  }
  async.create = (path) => {
    if (!path.startsWith(`${folder}/`) || !isTemporaryName(path)) return create(path)
    tries++
    return Promise.reject(failure(path))
  }
  const release = () => {
    async.create = create
    Snapshots.prototype.begin = begin
  }
  onTestFinished(release)
  return {
    get tries() {
      return tries
    },
    release,
  }
}
