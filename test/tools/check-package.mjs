// Whether the package resolves wherever it is installed: publint, and Are The Types Wrong, on the packed package. Packing builds
// `dist` anew, without source maps.
//
//   npm run check:package
import { readFileSync } from 'node:fs'
import { installTools, pack, temporaryFolder } from './lib.mjs'

installTools()
const { publint } = await import('publint')
const { formatMessage } = await import('publint/utils')
const { checkPackage, createPackageFromTarballData } = await import('@arethetypeswrong/core')

const tarball = readFileSync(pack(temporaryFolder()))
const { messages, pkg } = await publint({ pack: { tarball }, strict: true })
for (const message of messages) console.log(`publint: ${formatMessage(message, pkg)}`)

// Without `exports` nothing of this package is found, so the oldest of the resolutions is left out; CommonJS gets ES modules, which
// each supported Node can require.
const asPublished = new Set(['NoResolution', 'CJSResolvesToESM'])
const { problems } = await checkPackage(createPackageFromTarballData(tarball))
const real = problems.filter(
  ({ kind, resolutionKind }) =>
    !asPublished.has(kind) || (kind === 'NoResolution' && resolutionKind !== 'node10'),
)
for (const problem of real) console.log(`types: ${JSON.stringify(problem)}`)

const found = messages.length + real.length
console.log(found === 0 ? 'The package resolves, for publint and for its types.' : `${found} problems.`)
process.exitCode = found === 0 ? 0 : 1
