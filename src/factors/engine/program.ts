import { FactorError } from '../errors.js'
import { fields } from '../ticks.js'
import { arithmetic, type Step } from './arithmetic.js'
import { operatorNamed } from './catalog.js'
import { type Expression, parseExpression } from './expression.js'
import { type Movement, movedByAll, movedByAny, movementOf } from './movement.js'
import type { Estimate, Place } from './operators/index.js'

/** Cells at the beginning of every strip: ticks seen, time of the last one, then the fields. */
export const ticksCell = 0
export const timestampCell = 1
export const fieldsCell = 2
export const headCells = fieldsCell + fields.length

/** A value that a factor has: its name, or `name.output` of an operator with several. */
export interface Column {
  readonly name: string
  readonly cell: number
}

/** A column that a barrier sets: the rank of `of` among the instruments that have a rank of this name. */
export interface RankColumn extends Column {
  readonly of: number
}

/** Definitions that were registered in one go: name and expression. */
export type Definitions = readonly (readonly [name: string, expression: string])[]

interface Named {
  readonly outputs: readonly string[]
  readonly cell: number
  /** Which ticks move it; undefined for a number. */
  readonly moves: Movement | undefined
}

const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/

/**
 * The factors of one instrument: a graph in which equal parts exist once, in an order in which each part stands after
 * what it needs. The whole state is `cells`, up to `used`.
 */
export class FactorProgram implements Place {
  cells: Float64Array = new Float64Array(64)
  used = headCells
  readonly columns: Column[] = []
  readonly ranks: RankColumn[] = []
  /** Everything registered, in order: registering it again makes a program of the same shape. */
  readonly history: Definitions[] = []
  inputs: readonly number[] = []
  readonly #steps: Step[] = []
  /** For each step the ticks that move it. */
  readonly #moves: Movement[] = []
  #nodes = new Map<string, Named>()
  #named = new Map<string, Named>()
  #columnCells = new Map<string, number>()

  constructor() {
    this.cells.fill(Number.NaN, timestampCell, headCells)
    for (const [i, field] of fields.entries()) {
      this.#named.set(field, { outputs: ['value'], cell: fieldsCell + i, moves: movementOf(i) })
    }
    this.#named.set('close', this.#named.get('last')!)
  }

  /** Computes every part that the fields in `mask` move; they are in their cells already. */
  step(mask: number): void {
    const steps = this.#steps
    const moves = this.#moves
    for (let i = 0; i < steps.length; i++) if (moves[i]![mask] !== 0) steps[i]!.step()
  }

  allocate(count: number): number {
    const at = this.used
    this.used = at + count
    if (this.used > this.cells.length) {
      const larger = new Float64Array(Math.max(2 * this.cells.length, this.used))
      larger.set(this.cells)
      this.cells = larger
      for (const step of this.#steps) step.cells = larger
    }
    return at
  }

  /**
   * Adds factors, all or none; they may refer to each other in any order, to factors that are there, and to fields.
   *
   * @throws FactorError `TIDEMARK_BAD_EXPRESSION`, `TIDEMARK_BAD_NAME`, `TIDEMARK_DUPLICATE_FACTOR`,
   *   `TIDEMARK_UNKNOWN_FACTOR`, `TIDEMARK_FACTOR_CYCLE`, `TIDEMARK_BAD_PARAMETER`.
   */
  register(definitions: Definitions): void {
    const parsed = new Map<string, Expression>()
    for (const [name, text] of definitions) {
      if (!namePattern.test(name)) {
        throw new FactorError(
          'TIDEMARK_BAD_NAME',
          `"${name}" can't name a factor; use a letter, then up to 127 letters, digits and underscores.`,
          { name },
        )
      }
      if (this.#named.has(name) || parsed.has(name)) {
        throw new FactorError(
          'TIDEMARK_DUPLICATE_FACTOR',
          `There is a factor or field "${name}" already; choose another name.`,
          { name },
        )
      }
      parsed.set(name, parseExpression(text))
    }
    const before = [this.used, this.#steps.length, this.columns.length, this.ranks.length] as const
    const nodes = new Map(this.#nodes)
    const named = new Map(this.#named)
    try {
      const build = new Build(this, parsed)
      for (const name of parsed.keys()) build.resolve(name)
      this.history.push(definitions.map(([name, text]) => [name, text]))
      this.#columnCells = new Map(this.columns.map(({ name, cell }) => [name, cell]))
    } catch (error) {
      ;[this.used, this.#steps.length, this.columns.length, this.ranks.length] = before
      this.#moves.length = before[1]
      this.#nodes = nodes
      this.#named = named
      throw error
    }
  }

  /** The cell of a column. @throws FactorError `TIDEMARK_UNKNOWN_FACTOR`. */
  cellOf(name: string): number {
    const cell = this.#columnCells.get(name)
    if (cell !== undefined) return cell
    const outputs = this.#named.get(name)?.outputs
    throw new FactorError(
      'TIDEMARK_UNKNOWN_FACTOR',
      outputs && outputs.length > 1
        ? `"${name}" has several outputs; ask for ${outputs.map((output) => `${name}.${output}`).join(', ')}.`
        : `There is no factor "${name}"; register it first.`,
      { factor: name },
    )
  }

  /** What a name stands for. Only for `Build`. */
  named(name: string): Named | undefined {
    return this.#named.get(name)
  }

  /** Gives a name to a part, and columns to a factor. Only for `Build`. */
  name(name: string, part: Named): void {
    this.#named.set(name, part)
    for (const [i, output] of part.outputs.entries()) {
      this.columns.push({ name: part.outputs.length === 1 ? name : `${name}.${output}`, cell: part.cell + i })
    }
  }

  /** The part with this key, made if it isn't there yet. Only for `Build`. */
  part(
    key: string,
    inputs: readonly Named[],
    outputs: readonly string[],
    moves: Movement | undefined,
    make: () => Step,
  ): Named {
    const known = this.#nodes.get(key)
    if (known) return known
    this.inputs = inputs.map((input) => input.cell)
    const step = make()
    const part = { outputs, cell: step.at, moves }
    if (moves) {
      this.#steps.push(step)
      this.#moves.push(moves)
    } else {
      // Of numbers alone: computed once, now.
      step.step()
    }
    this.#nodes.set(key, part)
    return part
  }

  /** The cell of a number. Only for `Build`. */
  constant(value: number): Named {
    const key = `number ${Object.is(value, -0) ? '-0' : value}`
    let part = this.#nodes.get(key)
    if (!part) {
      part = { outputs: ['value'], cell: this.allocate(1), moves: undefined }
      this.cells[part.cell] = value
      this.#nodes.set(key, part)
    }
    return part
  }
}

/** One registration: turns parsed expressions into parts of a program. */
class Build {
  readonly #program: FactorProgram
  readonly #parsed: ReadonlyMap<string, Expression>
  readonly #path: string[] = []

  constructor(program: FactorProgram, parsed: ReadonlyMap<string, Expression>) {
    this.#program = program
    this.#parsed = parsed
  }

  /** The part that a name stands for, built first if it is one of this registration. */
  resolve(name: string): Named {
    const known = this.#program.named(name)
    if (known) return known
    const expression = this.#parsed.get(name)
    if (!expression) {
      const user = this.#path.at(-1)
      throw new FactorError(
        'TIDEMARK_UNKNOWN_FACTOR',
        `There is no factor or field "${name}"${user === undefined ? '' : `, which "${user}" refers to`}; register it first, or together.`,
        { factor: name, referredBy: user },
      )
    }
    if (this.#path.includes(name)) {
      const cycle = [...this.#path.slice(this.#path.indexOf(name)), name]
      throw new FactorError(
        'TIDEMARK_FACTOR_CYCLE',
        `The factors refer to each other in a circle: ${cycle.join(' -> ')}.`,
        { cycle },
      )
    }
    this.#path.push(name)
    const part = this.#isRank(expression) ? this.#rank(name, expression) : this.#build(expression)
    this.#path.pop()
    this.#program.name(name, part)
    return part
  }

  #isRank(expression: Expression): expression is Extract<Expression, { kind: 'call' }> {
    return expression.kind === 'call' && expression.operator === 'rank'
  }

  /** `rank(series)`: a cell that only a barrier sets. */
  #rank(name: string, expression: Extract<Expression, { kind: 'call' }>): Named {
    const [series] = expression.arguments
    if (expression.arguments.length !== 1 || expression.output !== undefined) {
      throw badExpression('rank takes one series and has one output: rank(momentum).', { operator: 'rank' })
    }
    const of = this.#series(series!)
    const cell = this.#program.allocate(1)
    this.#program.cells[cell] = Number.NaN
    this.#program.ranks.push({ name, cell, of: of.cell })
    return { outputs: ['value'], cell, moves: of.moves }
  }

  /** An expression as one series. */
  #series(expression: Expression): Named {
    const part = this.#build(expression)
    if (part.outputs.length === 1) return part
    throw badExpression(
      `Say which output is meant: ${part.outputs.map((output) => `.${output}`).join(', ')}.`,
      {
        outputs: part.outputs,
      },
    )
  }

  #build(expression: Expression): Named {
    switch (expression.kind) {
      case 'number':
        return this.#program.constant(expression.value)
      case 'name':
        return outputOf(this.resolve(expression.name), expression.name, expression.output)
      case 'negate':
        return this.#arithmetic('-', this.#program.constant(-0), this.#series(expression.operand))
      case 'arithmetic':
        return this.#arithmetic(
          expression.sign,
          this.#series(expression.left),
          this.#series(expression.right),
        )
      case 'call':
        return outputOf(this.#call(expression), expression.operator, expression.output)
    }
  }

  #arithmetic(sign: '+' | '-' | '*' | '/', left: Named, right: Named): Named {
    const Node = arithmetic[sign]
    const key = `${left.cell} ${sign} ${right.cell}`
    const moves = movedByAny([left.moves, right.moves])
    return this.#program.part(key, [left, right], ['value'], moves, () => new Node(this.#program))
  }

  #call(expression: Extract<Expression, { kind: 'call' }>): Named {
    const { operator } = expression
    if (operator === 'rank') {
      throw badExpression('rank stands alone: give it a name of its own, and refer to that.', { operator })
    }
    const entry = operatorNamed(operator)
    const rest = [...expression.arguments]
    let estimate: Estimate = 'population'
    const word = rest.at(-1)
    if (entry.estimates && word?.kind === 'name' && (word.name === 'sample' || word.name === 'population')) {
      estimate = word.name
      rest.pop()
    }
    const usual = entry.usual && rest.every((argument) => argument.kind === 'number')
    const inputs = usual
      ? entry.usual.map((field) => this.resolve(field))
      : rest.splice(0, entry.inputs).map((series) => this.#series(series))
    const parameters = rest.map((argument) => {
      if (argument.kind === 'number') return argument.value
      throw badExpression(`${operator} takes ${entry.inputs} series, and numbers after them.`, { operator })
    })
    const [least, most] = entry.parameters
    if (inputs.length !== entry.inputs || parameters.length < least || parameters.length > most) {
      throw badExpression(
        `${operator} takes ${entry.inputs} series and ${least === most ? least : `${least} to ${most}`} numbers, not ${inputs.length} and ${parameters.length}.`,
        { operator },
      )
    }
    const key = `${operator} ${inputs.map(({ cell }) => cell).join(' ')} ; ${parameters.join(' ')} ${estimate}`
    const moves = movedByAll(inputs.map((input) => input.moves))
    if (!moves) {
      throw badExpression(`${operator} takes a series that moves, and has numbers alone.`, { operator })
    }
    return this.#program.part(key, inputs, entry.outputs, moves, () =>
      entry.make(parameters, estimate, this.#program),
    )
  }
}

function outputOf(part: Named, name: string, output: string | undefined): Named {
  if (output === undefined) return part
  const index = part.outputs.indexOf(output)
  if (index < 0 || part.outputs.length === 1) {
    throw badExpression(
      `${name} has no output ${output}${part.outputs.length > 1 ? `; it has ${part.outputs.join(', ')}` : ''}.`,
      { output },
    )
  }
  return { outputs: ['value'], cell: part.cell + index, moves: part.moves }
}

function badExpression(message: string, details: Record<string, unknown>): FactorError {
  return new FactorError('TIDEMARK_BAD_EXPRESSION', message, details)
}
