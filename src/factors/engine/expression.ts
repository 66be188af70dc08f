import { FactorError } from '../errors.js'

/** A parsed expression. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'name'; readonly name: string; readonly output: string | undefined }
  | {
      readonly kind: 'call'
      readonly operator: string
      readonly arguments: readonly Expression[]
      readonly output: string | undefined
    }
  | { readonly kind: 'negate'; readonly operand: Expression }
  | {
      readonly kind: 'arithmetic'
      readonly sign: '+' | '-' | '*' | '/'
      readonly left: Expression
      readonly right: Expression
    }

const expressionCharsMax = 10_000
const depthMax = 100

/**
 * Parses an expression over series: numbers, names, `operator(series, …, parameter, …)`, `.output` after a name or a
 * call, + - * /, and parentheses.
 *
 * ```
 *  sum     = product { ('+' | '-') product }
 *  product = factor { ('*' | '/') factor }
 *  factor  = '-' factor | number | '(' sum ')' | name [ '(' [ sum { ',' sum } ] ')' ] [ '.' name ]
 * ```
 *
 * @throws FactorError `TIDEMARK_BAD_EXPRESSION` with the place of what can't be read.
 */
export function parseExpression(text: string): Expression {
  return new Parser(text).parse()
}

class Parser {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): Expression {
    if (typeof this.#text !== 'string' || this.#text.length > expressionCharsMax) {
      throw new FactorError(
        'TIDEMARK_BAD_EXPRESSION',
        `An expression is a text of at most ${expressionCharsMax} characters.`,
        { chars: this.#text?.length },
      )
    }
    const expression = this.#sum()
    if (this.#peek() !== '') throw this.#bad(`unexpected "${this.#peek()}"`)
    return expression
  }

  #sum(): Expression {
    if (++this.#depth > depthMax) throw this.#bad(`more than ${depthMax} levels`)
    let left = this.#product()
    for (let sign = this.#peek(); sign === '+' || sign === '-'; sign = this.#peek()) {
      this.#at++
      left = { kind: 'arithmetic', sign, left, right: this.#product() }
    }
    this.#depth--
    return left
  }

  #product(): Expression {
    let left = this.#factor()
    for (let sign = this.#peek(); sign === '*' || sign === '/'; sign = this.#peek()) {
      this.#at++
      left = { kind: 'arithmetic', sign, left, right: this.#factor() }
    }
    return left
  }

  #factor(): Expression {
    const next = this.#peek()
    if (next === '-') return this.#negated()
    if (next === '(') {
      this.#at++
      const inner = this.#sum()
      this.#expect(')')
      return inner
    }
    const number = this.#match(/(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y)
    if (number !== undefined) {
      if (/[A-Za-z_]/.test(this.#text[this.#at] ?? '')) throw this.#bad(`"${number}" runs into a name`)
      return { kind: 'number', value: this.#finite(Number(number)) }
    }
    const name = this.#match(/[A-Za-z_][A-Za-z0-9_]*/y)
    if (name === undefined) throw this.#bad(next === '' ? 'it ends too early' : `unexpected "${next}"`)
    if (this.#peek() === '(')
      return { kind: 'call', operator: name, arguments: this.#arguments(), output: this.#output() }
    return { kind: 'name', name, output: this.#output() }
  }

  #negated(): Expression {
    this.#at++
    if (++this.#depth > depthMax) throw this.#bad(`more than ${depthMax} levels`)
    const operand = this.#factor()
    this.#depth--
    return operand.kind === 'number' ? { kind: 'number', value: -operand.value } : { kind: 'negate', operand }
  }

  #arguments(): Expression[] {
    const list: Expression[] = []
    this.#at++
    if (this.#peek() !== ')') {
      list.push(this.#sum())
      while (this.#peek() === ',') {
        this.#at++
        list.push(this.#sum())
      }
    }
    this.#expect(')')
    return list
  }

  #output(): string | undefined {
    if (this.#peek() !== '.') return undefined
    this.#at++
    const output = this.#match(/[A-Za-z_][A-Za-z0-9_]*/y)
    if (output === undefined) throw this.#bad('a point without the name of an output after it')
    return output
  }

  #finite(value: number): number {
    if (!Number.isFinite(value)) throw this.#bad('a number too large')
    return value
  }

  #expect(character: string): void {
    if (this.#peek() !== character) throw this.#bad(`"${character}" is missing`)
    this.#at++
  }

  /** The next character that is no blank, or nothing at the end. */
  #peek(): string {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++
    return this.#text[this.#at] ?? ''
  }

  #match(pattern: RegExp): string | undefined {
    this.#peek()
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  #bad(what: string): FactorError {
    return new FactorError(
      'TIDEMARK_BAD_EXPRESSION',
      `The expression "${this.#text}" can't be read: ${what} at character ${this.#at + 1}.`,
      { expression: this.#text, at: this.#at },
    )
  }
}
