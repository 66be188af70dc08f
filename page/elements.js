// What all parts of the page share: finding elements, and writing to them without building them anew. What stays as it was is not
// written, so that a selection, the focus and what a screen reader is at stay too.

export const by = (id) => document.getElementById(id)

export function element(tag, text = '', className = '') {
  const made = document.createElement(tag)
  made.textContent = text
  if (className !== '') made.className = className
  return made
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

/** Names and values, in pairs. */
export function drawFigures(list, pairs) {
  while (list.children.length > pairs.length) list.lastElementChild.remove()
  while (list.children.length < pairs.length) {
    const group = element('div')
    group.append(element('dt'), element('dd'))
    list.append(group)
  }
  pairs.forEach(([name, value], i) => {
    const [term, cell] = list.children[i].children
    setText(term, name)
    setText(cell, String(value))
  })
}

/** Rows of a table; `paint(cell, column, row)` may give a cell more than its text. */
export function drawRows(table, rows, paint) {
  const body = table.tBodies[0]
  while (body.rows.length > rows.length) body.lastElementChild.remove()
  while (body.rows.length < rows.length) body.insertRow()
  rows.forEach((cells, i) => {
    const row = body.rows[i]
    while (row.cells.length < cells.length) row.insertCell()
    cells.forEach((text, column) => {
      const cell = row.cells[column]
      setText(cell, String(text))
      paint?.(cell, column, i)
    })
  })
}

/** A group of buttons of which one is pressed. */
export function drawChoices(group, names, current, choose) {
  if (
    group.children.length !== names.length ||
    names.some((name, i) => group.children[i].textContent !== name)
  ) {
    group.replaceChildren(
      ...names.map((name) => {
        const button = element('button', name)
        button.type = 'button'
        button.addEventListener('click', () => choose(name))
        return button
      }),
    )
  }
  for (const button of group.children) {
    const pressed = String(button.textContent === current)
    if (button.getAttribute('aria-pressed') !== pressed) button.setAttribute('aria-pressed', pressed)
  }
}

/** A colour of the style sheet. */
export function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

/** The time of day, or the day for candles that are that long, in UTC. */
export function timeText(ms, interval = '1s') {
  const text = new Date(ms).toISOString()
  if (interval.endsWith('d') || interval.endsWith('w') || interval.endsWith('M')) return text.slice(0, 10)
  return text.slice(11, interval.endsWith('s') ? 19 : 16)
}

const counts = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })

export function count(value) {
  return counts.format(value)
}

export function bytes(value) {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  let at = 0
  for (; value >= 1024 && at < units.length - 1; at++) value /= 1024
  return `${counts.format(value)} ${units[at]}`
}

export function milliseconds(value) {
  return `${value < 10 ? value.toFixed(2) : counts.format(value)} ms`
}
