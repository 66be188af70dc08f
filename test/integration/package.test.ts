import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../support/run-script.js'

describe('the package', () => {
  it('holds what its docs name, no source maps, and little else', () => {
    const npm = ['pack', '--dry-run', '--json', '--ignore-scripts']
    const [packed] = JSON.parse(execFileSync('npm', npm, { cwd: root, encoding: 'utf8' }))
    const names: string[] = packed.files.map((file: { path: string }) => file.path)
    expect(names).toEqual(
      expect.arrayContaining([
        'dist/src/cli/main.js',
        'dist/workers/shard.js',
        'docs/cli.md',
        'page/index.html',
        'examples/jobs.mjs',
      ]),
    )
    expect(names.filter((name) => name.endsWith('.map'))).toEqual([])
    expect(names.filter((name) => !/^(dist\/(src|workers)|docs|examples|page)\/|^[^/]+$/.test(name))).toEqual(
      [],
    )
    expect(packed.unpackedSize).toBeLessThan(4_000_000)
  })

  it('is built without references to maps that it does not hold', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
    expect(scripts.prepack).toContain('--sourceMap false')
  })
})
