import { describe, expect, it } from 'vitest'
import { resolvePoolSettings } from '#tidemark/pool/settings.js'

const { POSITIVE_INFINITY: infinity } = Number

describe('what is kept, and for how long', () => {
  it('comes from options, then the environment, then the default', () => {
    expect(resolvePoolSettings({ dir: '/d' }, {})).toMatchObject({
      cursorKeepBytes: 1024 ** 3,
      checkpoints: { checkpointIntervalMs: 0, keepLogHours: infinity, keepLogBytes: infinity },
    })
    const environment = {
      TIDEMARK_CURSOR_KEEP_BYTES: '4096',
      TIDEMARK_CHECKPOINT_INTERVAL_MS: '1000',
      TIDEMARK_KEEP_LOG_HOURS: '0.5',
    }
    expect(resolvePoolSettings({ dir: '/d' }, environment)).toMatchObject({
      cursorKeepBytes: 4096,
      checkpoints: { checkpointIntervalMs: 1000, keepLogHours: 0.5 },
    })
    const options = { dir: '/d', cursorKeepBytes: infinity, checkpointIntervalMs: 7, keepLogHours: 24 }
    expect(resolvePoolSettings(options, environment)).toMatchObject({
      cursorKeepBytes: infinity,
      checkpoints: { checkpointIntervalMs: 7, keepLogHours: 24 },
    })
  })

  it.each([
    [
      'checkpointIntervalMs',
      'TIDEMARK_CHECKPOINT_INTERVAL_MS',
      [0, 2 ** 31 - 1],
      [-1, 0.5, 2 ** 31, Number.NaN],
    ],
    ['keepLogHours', 'TIDEMARK_KEEP_LOG_HOURS', [0, 0.001, infinity], [-0.001, Number.NaN]],
    ['cursorKeepBytes', 'TIDEMARK_CURSOR_KEEP_BYTES', [0, 2 ** 53, infinity], [-1, Number.NaN]],
  ] as const)('takes %s at its edge and refuses it beyond, by its name', (option, variable, good, bad) => {
    for (const value of good) {
      const { checkpoints, ...pool } = resolvePoolSettings({ dir: '/d', [option]: value }, {})
      expect({ ...checkpoints, ...pool }[option]).toBe(value)
      resolvePoolSettings({ dir: '/d' }, { [variable]: String(value) })
    }
    for (const value of bad) {
      expect(() => resolvePoolSettings({ dir: '/d', [option]: value }, {})).toThrowError(
        expect.objectContaining({ code: 'TIDEMARK_BAD_SETTING', message: expect.stringContaining(option) }),
      )
      expect(() => resolvePoolSettings({ dir: '/d' }, { [variable]: String(value) })).toThrowError(
        expect.objectContaining({ code: 'TIDEMARK_BAD_SETTING', message: expect.stringContaining(variable) }),
      )
    }
  })
})
