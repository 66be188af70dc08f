export { TidemarkError } from './base/errors.js'
export * from './log/public.js'
export {
  CommandError,
  type CommandErrorCode,
  orderTypeCodes,
  sideCodes,
  timeInForceCodes,
} from './matching/public.js'
export * from './pool/public.js'
