/** A target that keeps the rows of each transaction in memory, and nothing else. */
export class InMemoryTarget {
  name = 'memory'
  transactions = []

  constructor(dialect) {
    this.dialect = dialect
  }

  /** Statements on what changed find as much as they ask for: only the rows matter here. */
  async run(sql) {
    return { columns: [], rows: [], changed: /open_order_rows/.test(sql) ? this.#changes : 0 }
  }

  #changes = 0

  async transaction(work) {
    this.transactions.push([])
    await work()
  }

  async append(rows) {
    if (rows.table === 'order_changes') this.#changes = rows.count
    this.transactions.at(-1).push(copyRows(rows))
  }
}

/** Rows that stay as they are when those that they were copied from are used again. */
function copyRows({ table, count, list }) {
  return {
    table,
    count,
    list: list.map((column) => {
      const copy = Object.create(Object.getPrototypeOf(column), Object.getOwnPropertyDescriptors(column))
      copy.values = column.values.slice(0, count)
      if (column.words) copy.words = new Int32Array(copy.values.buffer)
      return copy
    }),
  }
}
