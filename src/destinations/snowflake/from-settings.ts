import { credentialOf, defined, missing, names, type FromSettings, type SettingNeed } from '../settings.ts'
import { drivers, snowflake, snowflakeFromUrl } from './snowflake.ts'

export { drivers }

export const needs: readonly SettingNeed[] = [{ key: 'credentials', hint: 'connection string, snowflake://' }]

export const fromSettings: FromSettings = (setting) => {
  const url = setting('credentials')
  const credential = credentialOf(setting)
  const options = {
    ...(url === undefined ? {} : snowflakeFromUrl(url)),
    ...defined({
      account: credential('host'),
      user: credential('username'),
      password: credential('password'),
      privateKey: credential('private_key'),
      privateKeyPassword: credential('private_key_passphrase'),
      database: credential('database'),
      warehouse: credential('warehouse'),
      role: credential('role'),
    }),
  }
  const { account, user, database } = options
  if (account === undefined || user === undefined || database === undefined) {
    throw missing('snowflake', 'CREDENTIALS', 'its account, user and database')
  }
  return snowflake({ ...options, account, user, database, ...names(setting) })
}
