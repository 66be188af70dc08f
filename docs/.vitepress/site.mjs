// Builds the site: `npm run docs`. It puts the pages, the README as their index, and a page for each entry point (typedoc, from the
// docstrings) into docs/.site, and lets vitepress make HTML of them in dist/site. A warning or a dead link ends it with code 1.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'

const docs = path.resolve(import.meta.dirname, '..')
const root = path.dirname(docs)
const site = path.join(docs, '.site')
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))

function run(command, ...args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit', cwd: docs })
  if (status !== 0) process.exit(1)
}

/** Copies the pages; links of the README lead from there to here. */
function copyPages() {
  rmSync(site, { recursive: true, force: true })
  mkdirSync(site)
  for (const name of readdirSync(docs)) {
    if (/\.(md|svg)$|^screenshots$/.test(name))
      cpSync(path.join(docs, name), path.join(site, name), { recursive: true })
  }
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
  writeFileSync(
    path.join(site, 'index.md'),
    readme.replaceAll('](docs/', '](').replaceAll('](examples)', '](../examples)'),
  )
}

/** The sources of the entry points in package.json, by the names under which they are imported. */
function entryPoints() {
  const entries = Object.entries(manifest.exports).filter(([, entry]) => typeof entry === 'object')
  return new Map(
    entries.map(([name, { types }]) => {
      const source = path.join(root, types.replace('./dist/', '').replace('.d.ts', '.ts'))
      return [source, path.posix.join('tidemark', name)]
    }),
  )
}

async function writeReference() {
  const { Application } = await import('typedoc')
  const entries = entryPoints()
  const app = await Application.bootstrapWithPlugins({
    entryPoints: [...entries.keys()],
    tsconfig: path.join(root, 'tsconfig.json'),
    plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme'],
    out: path.join(site, 'reference'),
    docsRoot: site,
    readme: 'none',
    name: 'Reference',
    router: 'module',
    excludePrivate: true,
    excludeInternal: true,
    excludeExternals: true,
    disableSources: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    typeDeclarationFormat: 'table',
    // test/unit/public-names.test.ts checks that nothing lacks documentation.
    // Links of docstrings to pages of this folder are looked at below.
    validation: { notExported: false, invalidLink: true, invalidPath: false, notDocumented: false },
    treatWarningsAsErrors: true,
    logLevel: 'Warn',
  })
  const project = await app.convert()
  if (!project) process.exit(1)
  for (const module of project.children ?? []) {
    const source = module.sources?.[0]?.fullFileName
    module.name = entries.get(source) ?? module.name
  }
  app.validate(project)
  await app.generateOutputs(project)
  if (app.logger.hasWarnings() || app.logger.hasErrors()) process.exit(1)
  for (const name of readdirSync(path.join(site, 'reference'), { recursive: true, encoding: 'utf8' })) {
    const file = path.join(site, 'reference', name)
    if (name.endsWith('.md')) writeFileSync(file, linkPages(readFileSync(file, 'utf8')))
  }
}

/** Docstrings name pages as those beside each other do: `[backup.md](backup.md)`. */
function linkPages(text) {
  return text.replaceAll(/\]\(([\w-]+)\.md(#[\w-]+)?\)/g, (link, name, anchor = '') =>
    existsSync(path.join(site, `${name}.md`)) ? `](/${name}${anchor})` : link,
  )
}

if (!existsSync(path.join(docs, 'node_modules/vitepress'))) run('npm', 'ci', '--no-audit', '--no-fund')
copyPages()
await writeReference()
run(path.join(docs, 'node_modules/.bin/vitepress'), 'build', docs)
