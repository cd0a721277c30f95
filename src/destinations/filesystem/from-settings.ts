import { chosen, credentialOf, defined, missing, names, type FromSettings, type SettingNeed } from '../settings.ts'
import { credentialsFrom } from '../stores/index.ts'
import { filesystem } from './filesystem.ts'
import { compressions, formatNames } from './formats.ts'

export const drivers: readonly string[] = []

export const needs: readonly SettingNeed[] = [
  { key: 'bucket_url', hint: 'a folder, or a bucket such as s3://bucket/path', initial: 'lake' },
]

export const fromSettings: FromSettings = (setting) => {
  const bucketUrl = setting('bucket_url') ?? setting('credentials') ?? folderOf(setting('location'))
  if (bucketUrl === undefined) throw missing('filesystem', 'BUCKET_URL', 'its folder or bucket')
  return filesystem({
    bucketUrl,
    credentials: credentialsFrom(bucketUrl, credentialOf(setting)),
    ...defined({
      format: chosen(setting, 'format', formatNames),
      compression: chosen(setting, 'compression', compressions),
      layout: setting('layout'),
    }),
    ...names(setting),
  })
}

/** The folder or bucket in which a dataset stands. */
const folderOf = (location: string | undefined): string | undefined => location?.slice(0, location.lastIndexOf('/'))
