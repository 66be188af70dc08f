/** A fact for people: what it is, and what it comes to. */
export type Fact = readonly [label: string, value: string]

/** Facts in two columns, one a line. */
export function factsTable(facts: readonly Fact[]): string {
  const width = Math.max(...facts.map(([label]) => label.length))
  return facts.map(([label, value]) => `${label.padEnd(width)}  ${value}`.trimEnd()).join('\n')
}

export interface ColumnOptions {
  /** What each line begins with. */
  readonly indent?: string
  /** A line of hyphens below the names of the columns. */
  readonly rule?: boolean
  /** Of each column whether its values stand at the right; at the left unless stated. */
  readonly right?: readonly boolean[]
}

/** Rows in columns that are as wide as their longest value, below the names of the columns. */
export function columnsTable(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  { indent = '', rule = false, right = [] }: ColumnOptions = {},
): string {
  const widths = columns.map((name, at) =>
    rows.reduce((width, row) => Math.max(width, row[at]!.length), name.length),
  )
  const hyphens = rule ? [widths.map((width) => '-'.repeat(width))] : []
  return [columns, ...hyphens, ...rows]
    .map((row) =>
      `${indent}${row.map((cell, at) => (right[at] ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!))).join('  ')}`.trimEnd(),
    )
    .join('\n')
}
