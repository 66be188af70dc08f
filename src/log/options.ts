import { didYouMean, unknownFieldOf } from '../base/known-fields.js'
import { badSetting, LogError } from './errors.js'

/** The names of all options of a type; the compiler sees to it that none is missing. */
export function optionNames<Options>(names: Record<keyof Options, true>): ReadonlySet<string> {
  return new Set(Object.keys(names))
}

/**
 * Refuses options that are no object, or have a name that `call` does not know: a misspelled option would be left out
 * without a word. An option that is `undefined` counts as left out.
 *
 * @throws LogError `TIDEMARK_BAD_SETTING`.
 */
export function checkOptions(call: string, options: unknown, known: ReadonlySet<string>): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const given = options === null ? 'null' : Array.isArray(options) ? 'an array' : typeof options
    throw new LogError('TIDEMARK_BAD_SETTING', `${call} takes an object of options, not ${given}.`, {
      setting: 'options',
      value: options,
    })
  }
  const setting = unknownFieldOf(options, known)
  if (setting === undefined) return
  throw new LogError(
    'TIDEMARK_BAD_SETTING',
    `${call} has no option ${JSON.stringify(setting)}.${didYouMean(setting, known)}`,
    { setting, value: (options as Record<string, unknown>)[setting] },
  )
}

/** Refuses what cannot abort. @throws LogError `TIDEMARK_BAD_SETTING`. */
export function checkSignal(signal: unknown): void {
  if (signal !== undefined && typeof (signal as AbortSignal | null)?.addEventListener !== 'function') {
    throw badSetting('signal', signal, 'an AbortSignal')
  }
}
