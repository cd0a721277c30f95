import { credentialOf, defined, missing, names, stagingFrom, type FromSettings, type SettingNeed } from '../settings.ts'
import { drivers, databricks } from './databricks.ts'

export { drivers }

export const needs: readonly SettingNeed[] = [
  { key: 'credentials.server_hostname', hint: 'host of the workspace' },
  { key: 'credentials.http_path', hint: 'HTTP path of the SQL warehouse' },
  { key: 'credentials.access_token', hint: 'access token' },
]

export const fromSettings: FromSettings = (setting) => {
  const credential = credentialOf(setting)
  const [serverHostname, httpPath] = [credential('server_hostname'), credential('http_path')]
  if (serverHostname === undefined || httpPath === undefined) {
    throw missing('databricks', 'CREDENTIALS__SERVER_HOSTNAME', 'its server_hostname and http_path')
  }
  const given = defined({
    accessToken: credential('access_token'),
    clientId: credential('client_id'),
    clientSecret: credential('client_secret'),
    catalog: credential('catalog'),
    stagingVolume: setting('staging_volume_name'),
    stagingCredential: setting('staging_credentials_name'),
  })
  if (given.accessToken === undefined && given.clientSecret === undefined) {
    throw missing('databricks', 'CREDENTIALS__ACCESS_TOKEN', 'an access token, or client id and secret')
  }
  return databricks({ serverHostname, httpPath, ...given, ...stagingFrom(setting), ...names(setting) })
}
