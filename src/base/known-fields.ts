/** The first field of an object that has a value and is not among the known ones. */
export function unknownFieldOf(object: object, known: ReadonlySet<string>): string | undefined {
  for (const [field, value] of Object.entries(object)) {
    if (value !== undefined && !known.has(field)) return field
  }
  return undefined
}

/** What is wrong with options: a sentence, and the option with its value. */
export interface WrongOptions {
  readonly message: string
  readonly details: { readonly setting: string; readonly value: unknown }
}

/**
 * Says what is wrong with the options of a call: they are no object, or one has a name that `call` does not know, which would be left
 * out without a word. An option that is `undefined` counts as left out.
 */
export function wrongOptions(
  call: string,
  options: unknown,
  known: ReadonlySet<string>,
): WrongOptions | undefined {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const given = options === null ? 'null' : Array.isArray(options) ? 'an array' : typeof options
    const message = `${call} takes an object of options, not ${given}.`
    return { message, details: { setting: 'options', value: options } }
  }
  const setting = unknownFieldOf(options, known)
  if (setting === undefined) return undefined
  const message = `${call} has no option ${JSON.stringify(setting)}.${didYouMean(setting, known)}`
  return { message, details: { setting, value: (options as Record<string, unknown>)[setting] } }
}

/** A sentence that names the known field which was probably meant, after a space; empty when there is none. */
export function didYouMean(field: string, known: Iterable<string>): string {
  let nearest: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const distance = distanceOf(field, candidate)
    if (distance < least) {
      least = distance
      nearest = candidate
    }
  }
  return nearest === undefined ? '' : ` Did you mean ${nearest}?`
}

/** Longer names are compared with nothing: the work grows with their square. */
const comparedCharsMax = 64

/** How far a field's name is from the one that was meant; Infinity when it can hardly have been. */
function distanceOf(field: string, candidate: string): number {
  if (field.length > comparedCharsMax) return Number.POSITIVE_INFINITY
  const given = lettersOf(field)
  const known = lettersOf(candidate)
  if (given === '') return Number.POSITIVE_INFINITY
  if (given === known) return 0
  if (given === initialsOf(candidate)) return 1
  const edits = editDistance(given, known)
  if (edits <= Math.max(1, Math.floor(known.length / 3))) return 1 + edits
  return isShortFor(given, known) ? known.length : Number.POSITIVE_INFINITY
}

function lettersOf(name: string): string {
  return name.replace(/[^a-zA-Z0-9]/g, '').toLowerCase()
}

/** `tif` for `timeInForce`. */
function initialsOf(name: string): string {
  return (name.slice(0, 1) + name.slice(1).replace(/[^A-Z]/g, '')).toLowerCase()
}

/** Whether a name is short for another, as `qty` is for `quantity`: its letters in order, the first one the same. */
function isShortFor(short: string, long: string): boolean {
  if (short.length < 2 || short[0] !== long[0]) return false
  let at = 0
  for (const letter of long) if (letter === short[at]) at++
  return at === short.length
}

/** Letters that are put in, taken out or changed between two words. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(change, above[j]! + 1, row[j - 1]! + 1))
    }
    above = row
  }
  return above[b.length]!
}
