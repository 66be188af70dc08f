/** What each of the orders of a price gets of so much that trades there, by what they show, oldest first. */
export function sharesOf(shown: readonly number[], quantity: number, hasTop: boolean): number[] {
  const total = shown.reduce((sum, lots) => sum + lots, 0)
  if (quantity >= total) return [...shown]
  if (hasTop) {
    const [top = 0, ...others] = shown
    const first = Math.min(top, quantity)
    return [first, ...sharesOf(others, quantity - first, false)]
  }
  const shares = shown.map((lots) => Number((BigInt(lots) * BigInt(quantity)) / BigInt(total)))
  let left = quantity - shares.reduce((sum, share) => sum + share, 0)
  return shares.map((share, i) => {
    const more = Math.min(left, shown[i]! - share)
    left -= more
    return share + more
  })
}
