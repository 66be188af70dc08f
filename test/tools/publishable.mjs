// What `npm publish` asks before it publishes: whether the maintainers have filled in what the code does not know.
import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import { root } from './lib.mjs'

const { author, version, repository, bugs, homepage } = JSON.parse(
  readFileSync(path.join(root, 'package.json'), 'utf8'),
)
const missing = []
if (!author) missing.push('package.json has no author.')
if (/\bOWNER\b/.test(JSON.stringify([repository, bugs, homepage])))
  missing.push('package.json names OWNER where the organisation of the repository belongs.')
if (!readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8').includes(`## ${version}`))
  missing.push(`CHANGELOG.md has no section "${version}".`)
for (const sentence of missing) console.error(sentence)
process.exitCode = missing.length === 0 ? 0 : 1
