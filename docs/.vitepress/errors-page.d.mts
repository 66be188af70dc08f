export interface ErrorCode {
  readonly code: string
  readonly cause: string
  readonly remedy: string | undefined
}
export const errorsFile: string
export function errorLists(): { file: string; codes: ErrorCode[] }[]
export function errorsPage(): string
