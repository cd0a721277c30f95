import { BlobServiceClient, StorageSharedKeyCredential, type ContainerClient } from '@azure/storage-blob'
import { addSecret, PipelineError, withDriver } from '../../errors/index.ts'
import { cacheFile } from './cache-file.ts'
import type { AzureCredentials } from './credentials.ts'
import {
  explained,
  keyIn,
  locationOf,
  pathIn,
  type BucketPlace,
  type ObjectStore,
  type StoreAdvice,
} from './object-store.ts'

/** A container of Azure Blob Storage; its name stands where the others have a bucket. */
export async function azureStore(place: BucketPlace, credentials: AzureCredentials = {}): Promise<ObjectStore> {
  const container = await containerOf(place.bucket, credentials)
  const at = (path: string) => container.getBlockBlobClient(keyIn(place, path))
  const store: ObjectStore = {
    location: locationOf('az', place),
    async list(folder) {
      const paths: string[] = []
      for await (const { name } of container.listBlobsFlat({ prefix: `${keyIn(place, folder)}/` })) {
        paths.push(pathIn(place, name))
      }
      return paths.sort()
    },
    read: (path) => at(path).downloadToBuffer(),
    fetch: (path, folder) =>
      cacheFile(folder, path, async (file) => {
        await at(path).downloadToFile(file)
      }),
    async upload(path, localFile) {
      await at(path).uploadFile(localFile)
    },
    async create(path, content) {
      try {
        const bytes = Buffer.from(content)
        await at(path).upload(bytes, bytes.length, { conditions: { ifNoneMatch: '*' } })
        return true
      } catch (error) {
        if ([409, 412].includes(statusOf(error) ?? 0)) return false
        throw error
      }
    },
    async remove(path) {
      await at(path).deleteIfExists()
    },
  }
  return explained(store, advise)
}

async function containerOf(name: string, credentials: AzureCredentials): Promise<ContainerClient> {
  const { connectionString, accountName, accountKey, sasToken } = credentials
  for (const value of [connectionString, accountKey, sasToken]) if (value !== undefined) addSecret(value)
  if (connectionString !== undefined) {
    return BlobServiceClient.fromConnectionString(connectionString).getContainerClient(name)
  }
  if (accountName === undefined) {
    throw new PipelineError(`the Azure container "${name}" needs the name of its storage account`, {
      code: 'CONFIG_MISSING',
      fix: 'set azure_storage_account_name in the credentials, or write abfss://container@account.dfs.core.windows.net/path',
    })
  }
  const { endpoint = `${accountName}.blob.core.windows.net` } = credentials
  const url = /^https?:/.test(endpoint) ? endpoint : `https://${endpoint}`
  if (sasToken !== undefined) {
    return new BlobServiceClient(`${url}?${sasToken.replace(/^\?/, '')}`).getContainerClient(name)
  }
  const credential =
    accountKey === undefined
      ? new (await loadIdentity()).DefaultAzureCredential()
      : new StorageSharedKeyCredential(accountName, accountKey)
  return new BlobServiceClient(url, credential).getContainerClient(name)
}

const loadIdentity = () =>
  withDriver('Azure Blob Storage without a key', ['@azure/identity'], () => import('@azure/identity'))

const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode

function advise(error: Error): StoreAdvice | undefined {
  const { code } = error as { code?: string }
  if (code === 'ContainerNotFound') return { fix: 'create the container, or correct its name in bucketUrl' }
  if ([401, 403].includes(statusOf(error) ?? 0)) {
    return { fix: 'check the account key, or give the role Storage Blob Data Contributor' }
  }
  return undefined
}
