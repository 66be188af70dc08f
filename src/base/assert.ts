import { TidemarkError } from './errors.js'

/** Something that must hold inside tidemark does not: the state can't be trusted, so the thread that finds it stops. */
class InvariantError extends TidemarkError {
  override readonly name = 'InvariantError'

  constructor(sentence: string, values: Record<string, unknown>) {
    const shown = Object.entries(values).map(([name, value]) => `${name} ${String(value)}`)
    super(
      'TIDEMARK_INVARIANT',
      `This must hold inside tidemark and does not: ${sentence} (${shown.join(', ')}). It is a bug or broken memory; please report it.`,
      values,
    )
  }
}

/**
 * Whether the dear assertions run, those inside hot loops and those that walk whole structures: in the tests, which set
 * `TIDEMARK_ASSERTIONS=all`. A constant, so that the optimiser leaves `if (allAssertions)` out elsewhere.
 */
export const allAssertions: boolean = process.env['TIDEMARK_ASSERTIONS'] === 'all'

/**
 * Throws an InvariantError unless `holds`. `sentence` says what must hold; `values` are the numbers to look at. For
 * boundaries outside hot loops; inside them test by hand and call `broken`, so that nothing is allocated.
 */
export function assert(
  holds: boolean,
  sentence: string,
  values: () => Record<string, unknown>,
): asserts holds {
  if (!holds) broken(sentence, values())
}

/** Throws the InvariantError of a check that the caller made by itself. */
export function broken(sentence: string, values: Record<string, unknown>): never {
  throw new InvariantError(sentence, values)
}
