import { InvalidArgumentError } from 'commander'

/** Makes a flag's parser for a number in a range. */
export function numberFlag(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`Use a number from ${min} to ${max}.`)
    return value
  }
}

/** Makes a flag's parser for a whole number in a range. */
export function integerFlag(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (!(Number.isInteger(value) && value >= min && value <= max)) {
      throw new InvalidArgumentError(`Use a whole number from ${min} to ${max}.`)
    }
    return value
  }
}
