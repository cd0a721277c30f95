import { defined, names, replacing, type FromSettings } from '../settings.ts'
import { duckdb } from './duckdb.ts'

export const fromSettings: FromSettings = (setting) => {
  const path = setting('credentials')?.replace(/^duckdb:(\/\/\/)?/, '') ?? setting('location')?.replace(/^duckdb:/, '')
  return duckdb({ ...defined({ path }), ...names(setting), ...replacing(setting) })
}
