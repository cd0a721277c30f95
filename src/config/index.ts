export { Config, config, ConfigReference, looksCopied, secret, type ConfigPlace } from './config.ts'
export { pipelineDir, pipelinesDir } from './data-dir.ts'
