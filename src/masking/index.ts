export { addSecret, addToken, excerpt, redact, redactStart } from './redact.ts'
export { percentDecoded } from './percent-decoded.ts'
export { isSecretField, isSecretName } from './secret-names.ts'
