export { addSecret, addToken, excerpt, redact, redactFields, redactStart } from './redact.ts'
export { isSecretField, isSecretName } from './secret-names.ts'
