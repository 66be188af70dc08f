import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { TidemarkError } from './errors.js'

/** Where this file is. A bundler that makes CommonJS of it leaves nothing here. */
const here = import.meta.url as string | undefined

/**
 * The built file of `workers/` with this name, without its ending, for a worker thread to load; `bundled/` before it: with all of its modules.
 *
 * @throws TidemarkError `TIDEMARK_FILES_MISSING` when it is not there, as in a program that was bundled with tidemark.
 */
export function workerFile(name: string): URL {
  if (!here) throw filesMissing(`workers/${name}.js`)
  const file = new URL(`../../workers/${name}.js`, here)
  if (!existsSync(file)) throw filesMissing(fileURLToPath(file))
  return file
}

/**
 * Loads a package that tidemark depends on, and returns how to get it. What keeps it from being loaded is thrown there, not
 * here: a package that does not survive bundling must not fail before `workerFile` can say so. It is loaded at once, with
 * the module that needs it, since Node remembers a package that it did not find, also when all that it lacked was a
 * descriptor. Worker threads load it where they need it: few do, and it may be a native module.
 *
 * @throws TidemarkError `TIDEMARK_FILES_MISSING`, out of what is returned, when it is not installed beside tidemark.
 */
export function ownPackage<Module>(name: string): () => Module {
  if (!isMainThread) return () => requireOwn(name)
  try {
    const loaded = requireOwn<Module>(name)
    return () => loaded
  } catch (error) {
    return () => {
      throw error
    }
  }
}

function requireOwn<Module>(name: string): Module {
  if (!here) throw filesMissing(`the package ${name}`)
  try {
    return createRequire(here)(name) as Module
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    throw filesMissing(`the package ${name}`, error)
  }
}

function filesMissing(file: string, cause?: unknown): TidemarkError {
  return new TidemarkError(
    'TIDEMARK_FILES_MISSING',
    `tidemark can't find ${file}. Its worker threads load files of its package, so it can't be bundled: keep tidemark ` +
      'external (esbuild --external:tidemark; docs/bundling.md) and install it beside the program.',
    { file },
    { cause },
  )
}
