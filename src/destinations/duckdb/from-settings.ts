import { defined, names, replacing, type FromSettings, type SettingNeed } from '../settings.ts'
import { duckdb } from './duckdb.ts'

export const drivers: readonly string[] = []

export const needs: readonly SettingNeed[] = []

export const fromSettings: FromSettings = (setting) => {
  const file = setting('credentials') ?? setting('credentials.database')
  const path = file?.replace(/^duckdb:(\/\/\/)?/, '') ?? setting('location')?.replace(/^duckdb:/, '')
  return duckdb({ ...defined({ path }), ...names(setting), ...replacing(setting) })
}
