export { addSecret, addToken, excerpt, redact, redactStart } from './redact.ts'
export { isSecretField, isSecretName } from './secret-names.ts'
