/** Keys for Amazon S3 and services that speak its protocol; without them the AWS SDK looks where it always looks. */
export interface S3Credentials {
  accessKeyId?: string
  secretAccessKey?: string
  sessionToken?: string
  region?: string
  /** Another service than Amazon's: `https://s3.eu-central-003.backblazeb2.com`. */
  endpoint?: string
  /** A profile of `~/.aws`. */
  profile?: string
}

/** A service account; without it Google's application default credentials are used. */
export interface GcsCredentials {
  projectId?: string
  clientEmail?: string
  privateKey?: string
  /** Path of a service account's key file. */
  keyFile?: string
  endpoint?: string
}

/** One of connection string, key, shared access signature; without any, Azure's default credential is used. */
export interface AzureCredentials {
  connectionString?: string
  accountName?: string
  accountKey?: string
  sasToken?: string
  endpoint?: string
}

export type StoreCredentials = S3Credentials | GcsCredentials | AzureCredentials
