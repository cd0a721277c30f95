import { missing, names, replacing, type FromSettings } from '../settings.ts'
import { postgres } from './postgres.ts'

export const fromSettings: FromSettings = (setting) => {
  const url = setting('credentials')
  if (url === undefined) throw missing('postgres', 'CREDENTIALS', 'its connection string')
  return postgres({ url, ...names(setting), ...replacing(setting) })
}
