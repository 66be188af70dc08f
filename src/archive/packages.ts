import { createRequire } from 'node:module'
import * as path from 'node:path'
import { pathToFileURL } from 'node:url'
import { ArchiveError } from './errors.js'

type Hyparquet = typeof import('hyparquet')
type HyparquetWriter = typeof import('hyparquet-writer')

/** The packages that read and write Parquet files. */
export interface ParquetPackages {
  readonly reader: Hyparquet
  readonly writer: HyparquetWriter
}

const install = 'npm install hyparquet-writer@0.17 hyparquet@1.31.5'
let loaded: Promise<ParquetPackages> | undefined

/**
 * Loads the packages that read and write Parquet files, which are optional: who archives nothing need not install them. From
 * where tidemark is installed or, for a command line that stands elsewhere, from the folder that it was called in.
 *
 * @throws ArchiveError `TIDEMARK_ARCHIVE_PACKAGE_MISSING` that says what to install.
 */
export function parquetPackages(): Promise<ParquetPackages> {
  loaded ??= load().catch((error) => {
    // It may be installed by the next call.
    loaded = undefined
    throw error
  })
  return loaded
}

async function load(): Promise<ParquetPackages> {
  const [reader, writer] = await Promise.all([
    loadPackage<Hyparquet>('hyparquet'),
    loadPackage<HyparquetWriter>('hyparquet-writer'),
  ])
  return { reader, writer }
}

async function loadPackage<Module>(name: string): Promise<Module> {
  for (const place of [import.meta.url, path.join(process.cwd(), 'package.json')]) {
    let file: string
    try {
      file = createRequire(place).resolve(name)
    } catch {
      continue
    }
    return (await import(pathToFileURL(file).href)) as Module
  }
  throw new ArchiveError(
    'TIDEMARK_ARCHIVE_PACKAGE_MISSING',
    `An archive needs the package ${name}, which is not installed: ${install}`,
    { package: name },
  )
}
