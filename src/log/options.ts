import { wrongOptions } from '../base/known-fields.js'
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
  const wrong = wrongOptions(call, options, known)
  if (wrong !== undefined) throw new LogError('TIDEMARK_BAD_SETTING', wrong.message, { ...wrong.details })
}

/** Refuses what cannot abort. @throws LogError `TIDEMARK_BAD_SETTING`. */
export function checkSignal(signal: unknown): void {
  if (signal !== undefined && typeof (signal as AbortSignal | null)?.addEventListener !== 'function') {
    throw badSetting('signal', signal, 'an AbortSignal')
  }
}
