/** Inputs beyond this are refused: the fourth power of a value, summed over the longest window, must still be a number. */
export const valueMax = 1e60

/** False for NaN too, and for what is no number. */
export function usable(x: number): boolean {
  return typeof x === 'number' && x <= valueMax && x >= -valueMax
}
