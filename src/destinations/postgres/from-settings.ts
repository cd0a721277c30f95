import { names, replacing, type FromSettings, type SettingNeed } from '../settings.ts'
import { connectionUrl } from './connection-url.ts'
import { drivers, postgres } from './postgres.ts'

export { drivers }

export const needs: readonly SettingNeed[] = [{ key: 'credentials', hint: 'connection string, postgres://' }]

export const fromSettings: FromSettings = (setting) => {
  return postgres({ url: connectionUrl('postgres', setting), ...names(setting), ...replacing(setting) })
}
