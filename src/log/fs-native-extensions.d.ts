declare module 'fs-native-extensions' {
  /** Asks for an advisory lock on the whole file, exclusive unless `shared`; false when another open file is in its way. */
  export function tryLock(file: number, options?: { readonly shared?: boolean }): boolean
  export function unlock(file: number): void
}
