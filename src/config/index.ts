export { fileTooLarge, mostBytes, parseDocument, readBounded } from './bounded-file.ts'
export {
  Config,
  config,
  ConfigReference,
  environmentName,
  isPlaceholder,
  looksCopied,
  secret,
  type ConfigOrigin,
  type ConfigPlace,
  type FoundSetting,
  type FoundValue,
} from './config.ts'
export { homeValues } from './toml-files.ts'
export { dataDir, pipelineDir, pipelinesDir } from './data-dir.ts'
export { hideProjectSecrets } from './hide-project-secrets.ts'
export { settingText } from './setting-text.ts'
export { expiringSecrets, secretStatuses, settingValue, type SecretNeed, type SecretStatus } from './project-secrets.ts'
export { keepSecret, writePlaceholders, writeSecret } from './write-secrets.ts'
