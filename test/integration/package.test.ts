import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../support/run-script.js'

interface Locked {
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly peer?: boolean
}

/** What `npm install tidemark` brings besides, as it lies here: optional peers and what is for other platforms are not there. */
function installedWithIt(): { name: string; bytes: number }[] {
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'))
  return Object.entries(packages as Record<string, Locked>)
    .filter(([folder, { dev, devOptional, peer }]) => folder !== '' && !dev && !devOptional && !peer)
    .filter(([folder]) => existsSync(path.join(root, folder)))
    .map(([folder]) => ({
      name: folder.replace('node_modules/', ''),
      bytes: bytesIn(path.join(root, folder)),
    }))
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(path.join(parentPath, name)).size, 0)
}

/** The chunks that a built file loads at once. */
function filesOf(file: string, found = new Set<string>()): Set<string> {
  for (const [, from] of readFileSync(file, 'utf8').matchAll(/^(?:import|export) .*? from "(\.[^"]*)"/gm)) {
    const imported = path.join(path.dirname(file), from!)
    if (found.has(path.basename(imported))) continue
    if (path.basename(path.dirname(imported)) === 'chunks') found.add(path.basename(imported))
    filesOf(imported, found)
  }
  return found
}

/** All JavaScript that ships. */
function builtFiles(dist: string): string[] {
  return ['chunks', 'src', 'workers'].flatMap((folder) =>
    readdirSync(path.join(dist, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.js'))
      .map((name) => path.join(dist, folder, name)),
  )
}

describe('the package', () => {
  it('holds what its docs name, no source maps, and little else', () => {
    const npm = ['pack', '--dry-run', '--json', '--ignore-scripts']
    const [packed] = JSON.parse(execFileSync('npm', npm, { cwd: root, encoding: 'utf8' }))
    const names: string[] = packed.files.map((file: { path: string }) => file.path)
    expect(names).toEqual(
      expect.arrayContaining([
        'dist/src/cli/main.js',
        'dist/workers/bundled/shard.js',
        'docs/cli.md',
        'page/index.html',
        'examples/jobs.mjs',
        'CHANGELOG.md',
      ]),
    )
    expect(names.filter((name) => name.endsWith('.map'))).toEqual([])
    expect(
      names.filter((name) => !/^(dist\/(chunks|src|workers)|docs|examples|page)\/|^[^/]+$/.test(name)),
    ).toEqual([])
    const needed = installedWithIt()
    expect(needed.map(({ name }) => name)).toContain('piscina')
    expect(needed.length + 1).toBeLessThanOrEqual(20)
    expect(needed.reduce((sum, { bytes }) => sum + bytes, packed.unpackedSize)).toBeLessThan(8_000_000)
  })

  it('starts the threads of every pool and log from one file each', () => {
    for (const name of ['flusher', 'preallocator', 'shard', 'snapshot']) {
      const built = readFileSync(path.join(root, `dist/workers/bundled/${name}.js`), 'utf8')
      const imported = [...built.matchAll(/^import .* from "([^"]*)"/gm)].map(([, from]) => from!)
      expect(imported.length).toBeGreaterThan(3)
      expect(imported.filter((from) => !/^(node:.*|crc-32)$/.test(from))).toEqual([])
    }
  })

  it('loads no more than a program asks for: a client nothing of the engine, a book no threads', () => {
    const loaded = (entry: string) => [...filesOf(path.join(root, 'dist/src', entry))].sort()
    expect(loaded('client/index.js')).toEqual(['base.js', 'client.js'])
    expect(loaded('matching/public.js')).toEqual(['base.js', 'matching.js'])
    expect(loaded('log/public.js')).toEqual(['base.js', 'log.js'])
    expect(loaded('index.js')).toEqual(['base.js', 'log.js', 'matching.js', 'pool.js'])
  })

  it('knows where its own modules are, from wherever their code stands', () => {
    const places = builtFiles(path.join(root, 'dist')).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/new URL\("([^"]+)", import\.meta\.url\)\.href/g)].map(
        ([, place]) => path.join(path.dirname(file), place!),
      ),
    )
    expect(places.length).toBeGreaterThan(10)
    // `workers/bundle.mjs` reckons from `dist/chunks`. What nothing imports at once stands elsewhere, so it can't have `import.meta.url`.
    expect(places.filter((file) => !existsSync(file))).toEqual([])
  })

  it('is built without references to maps that it does not hold', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
    expect(scripts.prepack).toMatch(/--sourceMap false.*--no-maps/)
  })
})
