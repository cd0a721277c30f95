import { withOptions, type NameOptions } from '../capabilities.ts'
import type { Destination } from '../destination.ts'
import { duckdbParts } from '../duckdb/duckdb.ts'
import { openStore, type ObjectStore, type StoreCredentials } from '../stores/index.ts'
import { FilesSession } from './files-session.ts'
import { fileFormat, type Compression, type FormatName } from './formats.ts'
import { checkLayout, defaultLayout, type ExtraPlaceholders } from './layout.ts'
import type { Retention } from './manifest.ts'

export interface FilesystemOptions extends NameOptions {
  /**
   * A folder, as path or `file://` URL; a bucket: `s3://bucket/path`, `gs://bucket/path`, `az://container/path`,
   * `abfss://container@account.dfs.core.windows.net/path`; or any other store of objects.
   */
  bucketUrl: string | ObjectStore
  /** Keys of the bucket. Without them the service's own tools decide: environment, profile, instance role. */
  credentials?: StoreCredentials
  /** @default 'parquet' */
  format?: FormatName
  /** @default 'zstd' for Parquet, 'gzip' for the others */
  compression?: Compression
  /**
   * Where files stand below the dataset, with dlt's placeholders.
   * @default '{table_name}/{load_id}.{file_id}.{ext}'
   */
  layout?: string
  /** Placeholders of one's own: a value, or what to compute it from. */
  extraPlaceholders?: ExtraPlaceholders
  /** How many old versions of the dataset are kept. @default { versions: 2 } */
  retention?: Retention
}

/**
 * Files in a folder or a bucket. DuckDB does the work, in a database of its own that is thrown away; what a load
 * changed is written as new files, which become visible together by one manifest.
 */
export function filesystem(options: FilesystemOptions): Destination {
  const { bucketUrl, credentials, layout = defaultLayout, extraPlaceholders = {}, retention = {} } = options
  checkLayout(layout, extraPlaceholders)
  const { capabilities } = duckdbParts({})
  return {
    name: 'filesystem',
    capabilities: withOptions(capabilities, { maxIdentifierLength: 200, ...options }),
    async open(target) {
      const store = typeof bucketUrl === 'string' ? await openStore(bucketUrl, credentials) : bucketUrl
      const format = fileFormat(options.format ?? 'parquet', options.compression)
      return new FilesSession(target, { store, format, layout, extraPlaceholders, retention }).session()
    },
  }
}
