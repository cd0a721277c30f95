import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PipelineError, withDriver } from '../../errors/index.ts'
import type { AzureCredentials, GcsCredentials, S3Credentials, StoreCredentials } from './credentials.ts'
import { localStore } from './local-store.ts'
import type { BucketPlace, ObjectStore } from './object-store.ts'

/** What a bucket's address says, apart from who may enter. */
interface BucketAddress extends BucketPlace {
  scheme: string
  /** Of `abfss://container@account.dfs.core.windows.net`. */
  account: string | undefined
}

const schemes = 'file://, s3://, gs://, az://, abfss://'

/** Opens `s3://bucket/path`, `gs://…`, `az://container/path`, `abfss://…`, `file://…` or the path of a folder. */
export async function openStore(url: string, credentials: StoreCredentials = {}): Promise<ObjectStore> {
  if (url.startsWith('file:')) return localStore(fileURLToPath(url))
  // Two letters at least: C:\ is a drive.
  if (!/^[a-z][a-z0-9+]+:/i.test(url)) return localStore(resolve(url))
  const { scheme, account, ...place } = parseBucketUrl(url)
  switch (scheme) {
    case 's3':
    case 's3a': {
      const driver = await withDriver(
        `a store on S3`,
        ['@aws-sdk/client-s3', '@aws-sdk/lib-storage'],
        () => import('./s3-store.ts'),
      )
      return driver.s3Store(place, credentials as S3Credentials)
    }
    case 'gs':
    case 'gcs': {
      const driver = await withDriver(
        `a store on Google Cloud`,
        ['@google-cloud/storage'],
        () => import('./gcs-store.ts'),
      )
      return driver.gcsStore(place, credentials as GcsCredentials)
    }
    case 'az':
    case 'azure':
    case 'abfs':
    case 'abfss': {
      const driver = await withDriver(`a store on Azure`, ['@azure/storage-blob'], () => import('./azure-store.ts'))
      return driver.azureStore(place, {
        ...(account === undefined ? {} : { accountName: account }),
        ...(credentials as AzureCredentials),
      })
    }
    default:
      throw new PipelineError(`bucketUrl: "${scheme}://" is not known; there is: ${schemes}`, {
        code: 'WRONG_USE',
        fix: 'use one of them, the path of a folder, or hand in an ObjectStore of your own',
      })
  }
}

function parseBucketUrl(url: string): BucketAddress {
  const match = /^([a-z0-9+]+):\/\/(?:([^/@]+)@)?([^/]+)\/?(.*)$/i.exec(url)
  if (match === null) {
    throw new PipelineError(`bucketUrl: "${url}" names no bucket`, {
      code: 'WRONG_USE',
      fix: 'write it as s3://bucket/path',
    })
  }
  const [, scheme, container, host, path] = match
  return {
    scheme: scheme!.toLowerCase(),
    bucket: container ?? host!,
    account: container === undefined ? undefined : host!.split('.')[0],
    prefix: path!
      .split('/')
      .filter((part) => part !== '')
      .join('/'),
  }
}
