export { Config, config, ConfigReference, environmentName, isPlaceholder, looksCopied, secret, type ConfigPlace } from './config.ts'
export { dataDir, pipelineDir, pipelinesDir } from './data-dir.ts'
