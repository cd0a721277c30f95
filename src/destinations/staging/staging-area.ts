import { openStore, inParallel, type ObjectStore, type StoreCredentials } from '../stores/index.ts'

export interface StagingOptions {
  /** A bucket that the warehouse can read: `s3://bucket/path`, `gs://…`, `az://…`. */
  bucketUrl: string | ObjectStore
  credentials?: StoreCredentials
}

/** A file on this machine, on its way into a table. A temporary one: a store may take it away. */
export interface FileToStage {
  table: string
  localFile: string
}

/** A file where the warehouse finds it. */
export interface StagedFile {
  table: string
  url: string
}

/** A folder of a bucket through which the files of a load reach a warehouse. */
export interface StagingArea {
  /** Uploads the files of a load. Names are fixed by load, table and place, so a second try overwrites the first. */
  put(loadId: string, files: readonly FileToStage[]): Promise<StagedFile[]>
  /** Removes what a load left, also what an attempt that was killed has left. */
  remove(loadId: string): Promise<void>
}

/** The staging area of a dataset. */
export async function stagingArea({ bucketUrl, credentials }: StagingOptions, dataset: string): Promise<StagingArea> {
  const store = typeof bucketUrl === 'string' ? await openStore(bucketUrl, credentials) : bucketUrl
  const folderOf = (loadId: string): string => `${dataset}_staging/${loadId}`
  return {
    put: (loadId, files) =>
      inParallel(files, async ({ table, localFile }, at) => {
        const extension = /(\.[a-z]+){1,2}$/i.exec(localFile)?.[0] ?? ''
        const path = `${folderOf(loadId)}/${encodeURIComponent(table)}/${at}${extension}`
        await store.upload(path, localFile)
        return { table, url: `${store.location}/${path}` }
      }),
    async remove(loadId) {
      await inParallel(await store.list(folderOf(loadId)), (path) => store.remove(path))
    },
  }
}
