import { defined, missing, names, stagingFrom, type FromSettings } from '../settings.ts'
import { redshift } from './redshift.ts'

export const fromSettings: FromSettings = (setting) => {
  const url = setting('credentials')
  if (url === undefined) throw missing('redshift', 'CREDENTIALS', 'its connection string')
  const { staging } = stagingFrom(setting)
  if (staging === undefined) throw missing('redshift', 'STAGING__BUCKET_URL', 'the bucket through which rows go')
  return redshift({ url, staging, ...defined({ iamRole: setting('staging_iam_role') }), ...names(setting) })
}
