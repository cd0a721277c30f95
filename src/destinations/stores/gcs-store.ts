import { statSync } from 'node:fs'
import { Storage } from '@google-cloud/storage'
import { addSecret } from '../../errors/index.ts'
import { cacheFile } from './cache-file.ts'
import type { GcsCredentials } from './credentials.ts'
import {
  explained,
  keyIn,
  locationOf,
  pathIn,
  type BucketPlace,
  type ObjectStore,
  type StoreAdvice,
} from './object-store.ts'

/** From here on an upload that breaks goes on where it was instead of beginning again. */
const resumableBytes = 32 * 1024 * 1024

/** A bucket of Google Cloud Storage. */
export function gcsStore(place: BucketPlace, credentials: GcsCredentials = {}): ObjectStore {
  const bucket = clientOf(credentials).bucket(place.bucket)
  const at = (path: string) => bucket.file(keyIn(place, path))
  const store: ObjectStore = {
    location: locationOf('gs', place),
    async list(folder) {
      const [files] = await bucket.getFiles({ prefix: `${keyIn(place, folder)}/` })
      return files.map((file) => pathIn(place, file.name)).sort()
    },
    read: async (path) => (await at(path).download())[0],
    fetch: (path, folder) =>
      cacheFile(folder, path, async (file) => {
        await at(path).download({ destination: file })
      }),
    async upload(path, localFile) {
      const resumable = statSync(localFile).size > resumableBytes
      await bucket.upload(localFile, { destination: keyIn(place, path), resumable })
    },
    async create(path, content) {
      try {
        // Generation 0 is that of an object which is not there.
        await at(path).save(content, { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } })
        return true
      } catch (error) {
        if (Number((error as { code?: unknown }).code) === 412) return false
        throw error
      }
    },
    async remove(path) {
      await at(path).delete({ ignoreNotFound: true })
    },
  }
  return explained(store, advise)
}

function clientOf({ projectId, clientEmail, privateKey, keyFile, endpoint }: GcsCredentials): Storage {
  if (privateKey !== undefined) addSecret(privateKey)
  return new Storage({
    ...(projectId === undefined ? {} : { projectId }),
    ...(keyFile === undefined ? {} : { keyFilename: keyFile }),
    ...(clientEmail === undefined || privateKey === undefined
      ? {}
      : // Environment variables hold the key with its line breaks written out.
        { credentials: { client_email: clientEmail, private_key: privateKey.replaceAll('\\n', '\n') } }),
    ...(endpoint === undefined ? {} : { apiEndpoint: endpoint }),
  })
}

function advise(error: Error): StoreAdvice | undefined {
  const { code } = error as { code?: unknown }
  if (Number(code) === 404) return { fix: 'create the bucket, or correct its name in bucketUrl' }
  if ([401, 403].includes(Number(code))) return { fix: 'give the service account the role Storage Object Admin' }
  if (error.message.includes('default credentials')) {
    return { fix: 'set client_email and private_key, or run: gcloud auth application-default login' }
  }
  return undefined
}
