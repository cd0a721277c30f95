export { Config, config, ConfigReference, looksCopied, secret, type ConfigPlace, type FoundSetting } from './config.ts'
export { dataDir, pipelineDir, pipelinesDir } from './data-dir.ts'
