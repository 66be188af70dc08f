import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { root, runProgram } from './run-script.js'
import { peersEnvironment } from './store-targets.js'

/** A complete program of the documentation, which imports what it uses. */
export interface Example {
  /** Where it stands, such as `src/pool/engine-pool.ts submit`. */
  readonly name: string
  readonly code: string
  /** Examples with the same run in one folder, in order: those of a page build on one another. */
  readonly folder: string
}

const docs = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'))
export const pages = ['README.md', ...docs.map((name) => `docs/${name}`)]

/** The ```js and ```ts blocks of README and docs. */
export function examplesOfPages(): Example[] {
  return pages.flatMap((page) =>
    [...readSource(page).matchAll(/^```(?:js|ts)\n(.*?)^```/gms)].map(([, code], i) => {
      return { name: `${page} ${i + 1}`, code: code!, folder: page }
    }),
  )
}

/** The `@example` blocks of the docstrings in src, each a fenced program. */
export function examplesOfSource(): Example[] {
  const files = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
  return files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => examplesIn(`src/${file}`, readSource(`src/${file}`)))
}

/** @throws Error for an `@example` without a program in a fence. */
function examplesIn(file: string, source: string): Example[] {
  if (!/@example$/m.test(source)) return []
  const docstrings = [...source.matchAll(/^ *\/\*\*\n(.*?)^ *\*\/\n([^\n]*)$/gms)]
  const found = docstrings.flatMap(([, text, declaration]) => {
    const [, ...parts] = text!.replaceAll(/^ *\* ?/gm, '').split(/^@example\n/m)
    const [, declared] =
      /^ *(?:(?:export|class|static|async|function|interface) )*(\w+)/.exec(declaration!) ?? []
    return parts.map((part) => {
      const [, code] = /^```js\n(.*?)^```/ms.exec(part) ?? []
      const name = `${file} ${declared}`
      if (code === undefined)
        throw new Error(`${name}: its @example is no program between \`\`\`js and \`\`\``)
      return { name, code, folder: name }
    })
  })
  if (found.length === source.match(/@example$/gm)?.length) return found
  throw new Error(`${file} has an @example that is in no docstring of its own lines`)
}

/**
 * Puts examples where `tidemark` is this package: below its own folder, beside the built code. Returns what the compiler
 * says, by the examples' names; nothing when all is well.
 */
export async function typeErrorsOf(examples: readonly Example[]): Promise<string> {
  const folder = path.join(root, 'dist/examples', String(process.pid))
  mkdirSync(folder, { recursive: true })
  try {
    for (const [i, { code }] of examples.entries()) writeFileSync(path.join(folder, `${i}.mts`), code)
    writeFileSync(
      path.join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          module: 'nodenext',
          target: 'es2023',
          types: ['node'],
          noEmit: true,
          skipLibCheck: true,
        },
        include: ['.'],
        exclude: [],
      }),
    )
    const compiler = path.join(root, 'node_modules/.bin/tsc')
    const { stdout, stderr } = await runProgram(compiler, ['-p', folder, '--pretty', 'false'])
    return `${stdout}${stderr}`.replaceAll(/^.*?(\d+)\.mts/gm, (_, i: string) => examples[Number(i)]!.name)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A process that runs examples one after the other: to start one and load everything takes longer than most of them. */
export class ExampleProcess {
  readonly #folder = mkdtempSync(path.join(root, 'dist/examples-'))
  readonly #child = fork(path.join(import.meta.dirname, 'example-process.mjs'), {
    cwd: this.#folder,
    env: { ...process.env, ...peersEnvironment },
    execArgv: [],
    silent: true,
  })
  readonly #exit = once(this.#child, 'exit') as Promise<[code: number | null]>
  #stderr = ''
  #count = 0

  constructor() {
    this.#child.stdout!.resume()
    this.#child.stderr!.on('data', (chunk) => (this.#stderr += chunk))
  }

  /**
   * Resolves with why an example failed and what it wrote on standard error: an empty text when all is well. What is written late comes with
   * the next one, or with the end.
   */
  async run({ code }: Example, directory: string): Promise<string> {
    const file = path.join(this.#folder, `${this.#count++}.mjs`)
    writeFileSync(file, code)
    this.#child.send({ file, directory }, () => {}) // one that has ended takes nothing: that is reported below
    const ended = this.#exit.then(([exitCode]) => [{ error: `The process ended with code ${exitCode}.` }])
    const [{ error = '' }] = await Promise.race([once(this.#child, 'message'), ended])
    return `${error}${this.#takeStderr()}`
  }

  /** Resolves with how it ended once nothing that an example left keeps it alive. */
  async end(): Promise<{ code: number | null; stderr: string }> {
    this.#child.disconnect()
    const [code] = await this.#exit
    return { code, stderr: this.#takeStderr() }
  }

  /** Ends it if it runs, and removes its files. */
  async remove(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
    rmSync(this.#folder, { recursive: true })
  }

  #takeStderr(): string {
    const text = this.#stderr
    this.#stderr = ''
    return text
  }
}

function readSource(file: string): string {
  return readFileSync(path.join(root, file), 'utf8')
}
