import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { resolveLogSettings } from '#tidemark/log/index.js'
import { resolvePoolSettings } from '#tidemark/pool/settings.js'
import { root, runScript } from '../support/run-script.js'
import { temporaryDirectory } from '../support/temporary.js'

const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
const settingsPage = readFileSync(path.join(root, 'docs/settings.md'), 'utf8')

describe('README and settings', () => {
  it('show the example that is in the examples folder, and it runs, twice', async () => {
    const example = readFileSync(path.join(root, 'examples/quickstart.mjs'), 'utf8')
    expect(readme).toContain(`\`\`\`js\n${example}\`\`\``)
    const dir = temporaryDirectory()
    const script = example.replace('./quickstart-data', dir)
    const first = await runScript(script)
    expect(first).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^filled 64000\.00 \d+\n$/),
    })
    expect(await runScript(script)).toMatchObject({ code: 0, stderr: '' })
  })

  it('give the defaults that hold', () => {
    const { checkpoints, ...pool } = resolvePoolSettings({ dir: '.' }, {})
    const settings = { ...resolveLogSettings({}, {}), ...pool, ...checkpoints }
    const rows = [...settingsPage.matchAll(/^\| `(\w+)` \| `TIDEMARK_\w+` \| ([^|]*) \|/gm)]
    const table = Object.fromEntries(rows.map((row): [string, string] => [row[1]!, row[2]!.trim()]))
    for (const [name, shown] of Object.entries(table)) {
      if (['dir', 'preset', 'archive'].includes(name)) continue
      const value = String(settings[name as keyof typeof settings])
      if (name === 'spinUs') {
        expect(shown.split(' or '), name).toContain(value)
        continue
      }
      const plain = shown
        .replaceAll(/[,`]/g, '')
        .replace(/^(\d+) MiB$/, (_, mebibytes: string) => String(Number(mebibytes) * 1_048_576))
      expect(plain, name).toBe(value)
    }
    expect(Object.keys(table)).toHaveLength(17)
  })
})
