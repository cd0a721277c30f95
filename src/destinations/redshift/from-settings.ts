import { defined, missing, names, stagingFrom, type FromSettings, type SettingNeed } from '../settings.ts'
import { connectionUrl } from '../postgres/connection-url.ts'
import { drivers, redshift } from './redshift.ts'

export { drivers }

export const needs: readonly SettingNeed[] = [
  { key: 'credentials', hint: 'connection string, redshift://' },
  { key: 'staging.bucket_url', hint: 'bucket through which rows go' },
]

export const fromSettings: FromSettings = (setting) => {
  const url = connectionUrl('redshift', setting)
  const { staging } = stagingFrom(setting)
  if (staging === undefined) throw missing('redshift', 'STAGING__BUCKET_URL', 'the bucket through which rows go')
  return redshift({ url, staging, ...defined({ iamRole: setting('staging_iam_role') }), ...names(setting) })
}
