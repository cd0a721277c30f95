import { PipelineError } from '../../errors/index.ts'
import {
  credentialOf,
  defined,
  missing,
  names,
  stagingFrom,
  type DestinationSetting,
  type FromSettings,
  type SettingNeed,
} from '../settings.ts'
import { drivers, bigquery } from './bigquery.ts'

export { drivers }

export const needs: readonly SettingNeed[] = [
  { key: 'credentials.project_id', hint: 'id of the project' },
  { key: 'credentials.client_email', hint: 'e-mail of the service account' },
  { key: 'credentials.private_key', hint: 'private key of the service account' },
]

export const fromSettings: FromSettings = (setting) => {
  const whole = setting('credentials')
  const credential = whole === undefined ? credentialOf(setting) : keyFileOf(whole)
  const projectId = setting('project_id') ?? credential('project_id')
  if (projectId === undefined) throw missing('bigquery', 'CREDENTIALS__PROJECT_ID', 'its project')
  const credentials = defined({
    clientEmail: credential('client_email'),
    privateKey: credential('private_key'),
    clientId: credential('client_id'),
    clientSecret: credential('client_secret'),
    refreshToken: credential('refresh_token'),
  })
  return bigquery({
    projectId,
    ...(Object.keys(credentials).length === 0 ? {} : { credentials }),
    ...defined({
      keyFile: credential('key_file'),
      accessToken: credential('access_token'),
      location: setting('location') ?? credential('location'),
      apiEndpoint: setting('api_endpoint'),
    }),
    ...stagingFrom(setting),
    ...names(setting),
  })
}

/** The keys of a service account's file, as Google writes it, or of a user's login. */
function keyFileOf(text: string): DestinationSetting {
  try {
    const keys = new Map(Object.entries(JSON.parse(text) as Record<string, string>))
    return (key) => keys.get(key)
  } catch (error) {
    throw new PipelineError('the credentials of BigQuery cannot be read', {
      code: 'CONFIG_INVALID',
      fix: 'give the service account\'s key file as Google writes it: {"type": "service_account", …}',
      cause: error,
    })
  }
}
