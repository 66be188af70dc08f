export { TidemarkError } from './base/errors.js'
export * from './log/index.js'
export {
  CommandError,
  type CommandErrorCode,
  orderTypeCodes,
  sideCodes,
  timeInForceCodes,
} from './matching/index.js'
export * from './pool/index.js'
