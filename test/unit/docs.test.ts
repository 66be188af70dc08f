import { existsSync, readdirSync, readFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../support/run-script.js'

const pages = [
  'README.md',
  ...readdirSync(path.join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
/** Those of the repository that are no page of the docs. */
const others = ['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md']
const textOf = (page: string) => readFileSync(path.join(root, page), 'utf8')

/** All matches of a pattern in all pages, as `page: match`. */
function matchesIn(pattern: RegExp): { page: string; found: string }[] {
  return [...pages, ...others].flatMap((page) =>
    [...textOf(page).matchAll(pattern)].map((m) => ({ page, found: m[1]! })),
  )
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

describe('README and docs', () => {
  it('name only files and folders that exist', () => {
    const named = matchesIn(/(?<![\w/.-])((?:src|test|docs|bench|examples|workers)\/[\w./-]*\w)/g)
    expect(named.length).toBeGreaterThan(50)
    const isThere = (name: string) =>
      existsSync(path.join(root, name)) ||
      // What a bench writes, not what the repository holds.
      name.startsWith('bench/results')
    expect(named.filter(({ found }) => !isThere(found))).toEqual([])
  })

  it('say of each fault test what it does', () => {
    const page = textOf('docs/testing.md')
    const countsOf = (file: string) =>
      [...textOf(`test/faults/${file}`).matchAll(/faultCount\(\s*'([a-z-]+)'/g)].map(([, name]) => name!)
    const isNamed = (file: string) =>
      page.includes(`\`test/faults/${file}\``) ||
      [file.replace('.test.ts', ''), ...countsOf(file)].some((name) => page.includes(`| \`${name}\` |`))
    const files = readdirSync(path.join(root, 'test/faults')).filter((name) => name.endsWith('.test.ts'))
    expect(files.length).toBeGreaterThan(40)
    // It tests the runner of the others.
    expect(files.filter((file) => !isNamed(file))).toEqual(['run.test.ts'])
  })

  it('name only npm scripts that exist', () => {
    const { scripts } = JSON.parse(textOf('package.json'))
    const named = matchesIn(/\bnpm (?:run )?((?<=run )[\w:-]+|(?<=npm )(?:test|start)\b)/g)
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter(({ found }) => !(found in scripts))).toEqual([])
  })

  it('name only error codes and environment variables that exist', () => {
    const known = new Set(
      ['src', 'bench', 'test/support'].flatMap((folder) =>
        readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
          .filter((file) => /\.(ts|mjs)$/.test(file) && !file.includes('node_modules'))
          .flatMap((file) => textOf(path.join(folder, file)).match(/\bTIDEMARK_[A-Z_]+\b/g) ?? []),
      ),
    )
    const named = matchesIn(/\b(TIDEMARK_[A-Z_]+)\b/g)
    expect(named.length).toBeGreaterThan(100)
    expect(named.filter(({ found }) => !known.has(found))).toEqual([])
  })

  it('link only to pages and headings that exist', () => {
    const broken = matchesIn(/\]\(([^)]+)\)/g).filter(({ page, found }) => {
      if (/^https?:/.test(found)) return false
      const [file, anchor] = found.split('#') as [string, string | undefined]
      const target = file === '' ? page : path.join(path.dirname(page), file)
      if (!existsSync(path.join(root, target))) return true
      return anchor !== undefined && !anchorsOf(textOf(target)).includes(anchor)
    })
    expect(broken).toEqual([])
  })

  it('are all reached by links from the README', () => {
    const linked = new Set(['README.md'])
    for (const page of linked) {
      for (const [, file] of textOf(page).matchAll(/\]\(([^)#:]+\.md)/g)) {
        linked.add(path.join(path.dirname(page), file!))
      }
    }
    expect([...pages, ...others].filter((page) => !linked.has(page))).toEqual([])
  })

  it('are all in the side bar of the site, which names no other', () => {
    const shown = [...textOf('docs/.vitepress/config.mjs').matchAll(/\bpage\('[^']+', '([\w-]+)'\)/g)]
    const inSideBar = new Set(shown.map(([, name]) => `docs/${name}.md`))
    expect([...inSideBar].sort()).toEqual(pages.filter((page) => page !== 'README.md').sort())
  })
})
