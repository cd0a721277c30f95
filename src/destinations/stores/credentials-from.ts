import type { AzureCredentials, GcsCredentials, S3Credentials, StoreCredentials } from './credentials.ts'

/** dlt's names of the keys, as they stand under `[destination.filesystem.credentials]`. */
const s3: Record<keyof S3Credentials, string> = {
  accessKeyId: 'aws_access_key_id',
  secretAccessKey: 'aws_secret_access_key',
  sessionToken: 'aws_session_token',
  region: 'region_name',
  endpoint: 'endpoint_url',
  profile: 'profile_name',
}
const gcs: Record<keyof GcsCredentials, string> = {
  projectId: 'project_id',
  clientEmail: 'client_email',
  privateKey: 'private_key',
  keyFile: 'key_file',
  endpoint: 'endpoint_url',
}
const azure: Record<keyof AzureCredentials, string> = {
  connectionString: 'azure_storage_connection_string',
  accountName: 'azure_storage_account_name',
  accountKey: 'azure_storage_account_key',
  sasToken: 'azure_storage_sas_token',
  endpoint: 'azure_account_host',
}

/** The keys of a bucket from configuration. */
export function credentialsFrom(bucketUrl: string, setting: (key: string) => string | undefined): StoreCredentials {
  const names = /^s3a?:/i.test(bucketUrl) ? s3 : /^gc?s:/i.test(bucketUrl) ? gcs : azure
  const found = Object.entries(names).map(([option, key]) => [option, setting(key)] as const)
  return Object.fromEntries(found.filter(([, value]) => value !== undefined))
}
