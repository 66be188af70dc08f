declare module 'fs-native-extensions' {
  /** Asks for an exclusive advisory lock on the whole file; false when another open file has it. */
  export function tryLock(file: number): boolean
  export function unlock(file: number): void
}
