import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { addSecret } from '../../errors/index.ts'
import { cacheFile } from './cache-file.ts'
import {
  explained,
  keyIn,
  locationOf,
  pathIn,
  type BucketPlace,
  type ObjectStore,
  type StoreAdvice,
} from './object-store.ts'
import type { S3Credentials } from './credentials.ts'

/** S3 takes 10,000 parts of a file: 80 GiB. */
const partBytes = 8 * 1024 * 1024

/** A bucket of Amazon S3, or of a service that speaks its protocol. */
export function s3Store(place: BucketPlace, credentials: S3Credentials = {}): ObjectStore {
  const { bucket } = place
  const client = new S3Client(clientConfig(credentials))
  const at = (path: string): { Bucket: string; Key: string } => ({ Bucket: bucket, Key: keyIn(place, path) })
  const get = async (path: string) => (await client.send(new GetObjectCommand(at(path)))).Body!
  const store: ObjectStore = {
    location: locationOf('s3', place),
    async list(folder) {
      const paths: string[] = []
      for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: `${at(folder).Key}/` })) {
        for (const { Key } of page.Contents ?? []) paths.push(pathIn(place, Key!))
      }
      return paths.sort()
    },
    read: async (path) => Buffer.from(await (await get(path)).transformToByteArray()),
    fetch: (path, folder) =>
      cacheFile(folder, path, async (file) => pipeline((await get(path)) as Readable, createWriteStream(file))),
    async upload(path, localFile) {
      // A stream cannot be sent a second time; of a large file, parts can.
      const Body = statSync(localFile).size > partBytes ? createReadStream(localFile) : readFileSync(localFile)
      await new Upload({ client, partSize: partBytes, params: { ...at(path), Body } }).done()
    },
    async create(path, content) {
      try {
        await client.send(new PutObjectCommand({ ...at(path), Body: content, IfNoneMatch: '*' }))
        return true
      } catch (error) {
        // 412: it is there. 409: another writer is creating it at this moment.
        if ([409, 412].includes(statusOf(error) ?? 0)) return false
        throw error
      }
    },
    async remove(path) {
      await client.send(new DeleteObjectCommand(at(path)))
    },
  }
  return explained(store, advise)
}

function clientConfig({
  accessKeyId,
  secretAccessKey,
  sessionToken,
  region,
  endpoint,
  profile,
}: S3Credentials): S3ClientConfig {
  for (const value of [secretAccessKey, sessionToken]) if (value !== undefined) addSecret(value)
  return {
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : {
          credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
        }),
    ...(profile === undefined ? {} : { profile }),
    // Services that speak S3 have no regions and no host name for each bucket, and few know the newer checksums.
    ...(endpoint === undefined
      ? region === undefined
        ? {}
        : { region }
      : {
          endpoint,
          region: region ?? 'us-east-1',
          forcePathStyle: true,
          requestChecksumCalculation: 'WHEN_REQUIRED',
          responseChecksumValidation: 'WHEN_REQUIRED',
        }),
  }
}

const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode

function advise(error: Error): StoreAdvice | undefined {
  if (error.name === 'NoSuchBucket') return { fix: 'create the bucket, or correct its name in bucketUrl' }
  if (error.name === 'PermanentRedirect') return { fix: 'set the region of the bucket' }
  if (error.name === 'CredentialsProviderError' || [401, 403].includes(statusOf(error) ?? 0)) {
    return { fix: 'check the access key and its rights: s3:ListBucket, GetObject, PutObject and DeleteObject' }
  }
  if (error.message.includes('Region is missing')) return { fix: 'set the region: region_name in the credentials' }
  return undefined
}
