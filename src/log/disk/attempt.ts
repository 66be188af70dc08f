import { TidemarkError } from '../../base/errors.js'
import { ioError } from '../errors.js'
import type { Disk } from './disk.js'

/**
 * Makes one file call. `action` and `file` complete the sentence "Could not …" of its failure.
 *
 * @throws LogError `TIDEMARK_LOG_IO`, `TIDEMARK_TOO_MANY_FILES`.
 */
export function attempt<T>(action: string, file: string, call: () => T): T {
  try {
    return call()
  } catch (cause) {
    throw namingFile(action, file, cause)
  }
}

/** Like `attempt`, for a call that does not block the thread. */
export async function attemptAsync<T>(action: string, file: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    throw namingFile(action, file, cause)
  }
}

/** The failure of a file call as an error that names the call and the file. An error of ours does so already. */
export function namingFile(action: string, file: string, cause: unknown): TidemarkError {
  return cause instanceof TidemarkError ? cause : ioError(action, file, cause)
}

/** Removes a file after a failure that the caller reports. Reports none of its own: the next opening removes what is left. */
export function removeQuietly(disk: Disk, file: string): void {
  try {
    disk.remove(file)
  } catch {
    // The caller's failure says more.
  }
}
