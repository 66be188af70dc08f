// Whether the types of the packed package compile, strictly and without skipLibCheck, under each supported TypeScript and each way of
// resolving modules. The compilers are installed in a temporary folder.
//
//   npm run test:types -- [--only 5.5]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { parseArgs } from 'node:util'
import { pack, root, run, temporaryFolder } from './lib.mjs'

const versions = ['5.5', '5.6', '5.7', '5.8', '5.9', '6.0', '7.0']
const resolutions = {
  node16: { module: 'node16', moduleResolution: 'node16' },
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
}
const { values: flags } = parseArgs({ options: { only: { type: 'string' } } })
const chosen = versions.filter((version) => flags.only === undefined || version === flags.only)
if (chosen.length === 0) throw new Error(`--only is ${flags.only}; use one of ${versions.join(', ')}.`)

const folder = temporaryFolder()
const { exports, devDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
const npm = (...args) => run('npm', [...args, '--silent', '--no-audit', '--no-fund'], { cwd: folder })
writeFileSync(path.join(folder, 'package.json'), '{ "type": "module", "private": true }\n')
npm('install', pack(folder), `@types/node@${devDependencies['@types/node']}`)

const entries = Object.keys(exports).filter((entry) => !entry.endsWith('.json'))
const program = [
  ...entries.map((entry, i) => `import * as entry${i} from 'tidemark${entry.slice(1)}'`),
  `export const names: string[] = [${entries.map((_, i) => `...Object.keys(entry${i})`).join(', ')}]`,
  "import { type Command, type ExecutionReport, EnginePool, TidemarkError } from 'tidemark'",
  'export async function trade(pool: EnginePool, command: Command): Promise<number> {',
  '  const report: ExecutionReport = await pool.submit(command)',
  '  // @ts-expect-error A field that there is not.',
  '  report.nothing',
  '  return report.lsn',
  '}',
  'export const code = (error: unknown): string => (error instanceof TidemarkError ? error.code : "")',
]
writeFileSync(path.join(folder, 'program.ts'), `${program.join('\n')}\n`)

let failures = 0
for (const version of chosen) {
  const compilers = path.join(folder, 'compilers', version)
  mkdirSync(compilers, { recursive: true })
  writeFileSync(path.join(compilers, 'package.json'), '{ "private": true }\n')
  run('npm', ['install', '--silent', '--no-audit', '--no-fund', `typescript@~${version}`], { cwd: compilers })
  for (const [name, options] of Object.entries(resolutions)) {
    const project = path.join(folder, `tsconfig.${version}.${name}.json`)
    const compilerOptions = {
      ...options,
      target: 'es2022',
      lib: ['es2023'],
      types: ['node'],
      strict: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
    }
    writeFileSync(project, JSON.stringify({ compilerOptions, files: ['program.ts'] }))
    try {
      run(path.join(compilers, 'node_modules/.bin/tsc'), ['-p', project, '--pretty', 'false'], {
        cwd: folder,
      })
      console.log(`TypeScript ${version}, ${name}: ok`)
    } catch (error) {
      failures++
      console.log(`TypeScript ${version}, ${name}: FAILED\n${error.message.slice(0, 4000)}`)
    }
  }
}
process.exitCode = failures === 0 ? 0 : 1
