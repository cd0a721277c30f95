export { mostBytes, parseDocument, readBounded } from './bounded-file.ts'
export {
  Config,
  config,
  ConfigReference,
  environmentName,
  isPlaceholder,
  looksCopied,
  secret,
  type ConfigPlace,
  type FoundSetting,
} from './config.ts'
export { dataDir, pipelineDir, pipelinesDir } from './data-dir.ts'
export { hideProjectSecrets } from './hide-project-secrets.ts'
export { expiringSecrets, secretStatuses, settingValue, type SecretNeed, type SecretStatus } from './project-secrets.ts'
export { keepSecret, writePlaceholders, writeSecret } from './write-secrets.ts'
