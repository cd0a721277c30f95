import { basename } from 'node:path'
import { inParallel } from '../in-parallel.ts'
import { openStore, type ObjectStore, type StoreCredentials } from '../stores/index.ts'

export interface StagingOptions {
  /** A bucket that the warehouse can read: `s3://bucket/path`, `gs://…`, `az://…`. */
  bucketUrl: string | ObjectStore
  credentials?: StoreCredentials
}

/** A file on this machine, on its way into a table. A temporary one: a store may take it away. */
export interface FileToStage {
  loadId: string
  table: string
  localFile: string
}

/** A folder of a bucket through which files reach a warehouse. */
export interface StagingArea {
  /**
   * Uploads a file for as long as `use` needs it. Its place is fixed by load and table, so that a second try overwrites and
   * removes what one that was killed has left.
   */
  through<T>(file: FileToStage, use: (url: string) => Promise<T>): Promise<T>
}

/** The staging area of a dataset. */
export async function stagingArea({ bucketUrl, credentials }: StagingOptions, dataset: string): Promise<StagingArea> {
  const store = typeof bucketUrl === 'string' ? await openStore(bucketUrl, credentials) : bucketUrl
  return {
    async through({ loadId, table, localFile }, use) {
      const folder = `${dataset}_staging/${loadId}/${encodeURIComponent(table)}`
      const path = `${folder}/${basename(localFile)}`
      try {
        await store.upload(path, localFile)
        return await use(`${store.location}/${path}`)
      } finally {
        await inParallel(await store.list(folder), (left) => store.remove(left))
      }
    },
  }
}
