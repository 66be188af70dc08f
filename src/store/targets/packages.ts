import { createRequire } from 'node:module'
import * as path from 'node:path'
import { StoreError } from '../errors.js'

/**
 * Loads an optional package: from where tidemark is installed or, for a command line that stands elsewhere, from the
 * folder that it was called in.
 *
 * @throws StoreError `TIDEMARK_STORE_PACKAGE_MISSING` that says what to install.
 */
export function requirePackage(name: string, target: string, install: string): unknown {
  const places = [import.meta.url, path.join(process.cwd(), 'package.json')]
  for (const place of places) {
    const require = createRequire(place)
    let file: string
    try {
      file = require.resolve(name)
    } catch {
      continue
    }
    try {
      return require(file)
    } catch (cause) {
      throw new StoreError(
        'TIDEMARK_STORE_PACKAGE_MISSING',
        `The package ${name} could not be loaded: ${(cause as Error).message.split('\n', 1)[0]}. Install it again for this platform.`,
        { package: name, file },
        { cause },
      )
    }
  }
  throw new StoreError(
    'TIDEMARK_STORE_PACKAGE_MISSING',
    `A store in ${target} needs the package ${name}, which is not installed: npm install ${install}`,
    { package: name },
  )
}
