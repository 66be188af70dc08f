// Makes errors.md of the docstrings in src: of each code the sentences before "Remedy:" are its cause, those after it what to do.
//
//   node docs/.vitepress/errors-page.mjs      # writes docs/errors.md
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'

const root = path.resolve(import.meta.dirname, '../..')
const src = path.join(root, 'src')
export const errorsFile = path.join(root, 'docs/errors.md')

/** A page's part for each list of codes, in their order on the page: where the list stands, and what its errors are. */
const parts = {
  'base/errors.ts': ['Everywhere', '`TidemarkError`, from `tidemark`'],
  'log/errors.ts': [
    'The log',
    '`LogError` and its subclass `LogPoisonedError`, from `tidemark` and `tidemark/log`',
  ],
  'pool/errors.ts': ['The pool', '`PoolError`, from `tidemark`. Nothing of the call that got it was logged'],
  'matching/codec/command-errors.ts': [
    'Commands',
    '`CommandError`, from `tidemark`: a command that is malformed, refused before anything was written. `details` has `field` and `value`. ' +
      'What the book refuses is no error but an outcome, whose codes are in [matching-rules.md](matching-rules.md)',
  ],
  'ledger/errors.ts': [
    'The ledger',
    '`LedgerError`, from `tidemark/ledger`. Nothing of the call that got it was logged, and nothing was taken or held',
  ],
  'log/replicated/errors.ts': [
    'Replication',
    '`ReplicationError`, from `tidemark/replication`. Passing: the same call may be made again until it succeeds; a primary does so by ' +
      'itself (`isPassing`). The others are final',
  ],
  'jobs/errors.ts': ['Jobs', '`JobError` and its subclass `ChecksumError`, from `tidemark/jobs`'],
  'factors/errors.ts': ['Factors', '`FactorError`, from `tidemark/factors`'],
  'market-data/errors.ts': ['Market data', '`MarketDataError`, from `tidemark/market-data`'],
  'archive/errors.ts': [
    'The archive',
    '`ArchiveError`, from `tidemark/archive`. What was archived before stays',
  ],
  'store/errors.ts': ['The store', '`StoreError`, from `tidemark/store`. What was stored before stays'],
  'server/errors.ts': [
    'The server',
    '`ServerError`, from `tidemark/server`. What a server answers its clients are errors of the dialect: [server.md](server.md)',
  ],
  'client/errors.ts': ['The client', '`ClientError` and its subclass `VenueRefusal`, from `tidemark/client`'],
  'cli/failure.ts': ['The command line', 'each ends with an exit code of [cli.md](cli.md), which lists them'],
}

/** Every list of codes in src: `export type …ErrorCode =`, a docstring before each code. */
export function errorLists() {
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((name) => {
      const file = name.replaceAll(path.sep, '/')
      const lists = readFileSync(path.join(src, name), 'utf8').matchAll(
        /^(?:export )?type \w*ErrorCode =((?:\n {2}.*)+)/gm,
      )
      return [...lists].map(([, text]) => ({ file, codes: codesIn(text) }))
    })
}

function codesIn(text) {
  const found = text.matchAll(/(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?\| '(TIDEMARK_\w+)'/g)
  return [...found].map(([, docstring = '', code]) => {
    const [cause, remedy] = docstring.replaceAll(/\s*\n\s*\*?\s*/g, ' ').split(' Remedy: ')
    return { code, cause: cause.trim(), remedy: remedy?.trim() }
  })
}

/** The text of errors.md. */
export function errorsPage() {
  const lists = errorLists()
  const missing = lists.filter(({ file }) => !(file in parts)).map(({ file }) => file)
  if (missing.length > 0)
    throw new Error(`errors-page.mjs has no part for the codes in src/${missing.join(', src/')}`)
  const tables = Object.entries(parts).map(([file, [title, what]]) => {
    const codes = lists.filter((list) => list.file === file).flatMap((list) => list.codes)
    const rows = codes.map(({ code, cause, remedy }) => `| \`${code}\` | ${cause} | ${remedy} |\n`)
    return `## ${title}\n\n${what[0].toUpperCase()}${what.slice(1)}.\n\n| code | what it means | what to do |\n|---|---|---|\n${rows.join('')}`
  })
  return `# Errors

Every error that tidemark raises on purpose is a \`TidemarkError\`: \`code\` is stable and made for programs, \`message\` is a sentence that says what to
do, \`details\` has the values, \`cause\` what led to it. Compare \`code\`, never the message. An error of the log reaches the callers of everything that
stands on a log: a pool, jobs, factors.

This page is made of the docstrings in \`src\` by \`npm run docs:errors\`.

${tables.join('\n')}`
}

if (process.argv[1] === import.meta.filename) writeFileSync(errorsFile, errorsPage())
