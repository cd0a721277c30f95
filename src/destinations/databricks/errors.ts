import type { ErrorRule } from '../error-rules.ts'

/** By the error conditions of https://docs.databricks.com/aws/en/error-messages/error-classes */
export const databricksErrors: readonly ErrorRule[] = [
  {
    when: /CREATE VOLUME|READ VOLUME|WRITE VOLUME/,
    recovery: 'abort',
    fix: 'GRANT CREATE VOLUME ON SCHEMA … TO …, or name a volume that is there: staging_volume_name',
  },
  {
    when: /PERMISSION_DENIED|INSUFFICIENT_PERMISSIONS|does not have .* on (Catalog|Schema|Table)/i,
    recovery: 'abort',
    fix: 'GRANT USE CATALOG, CREATE SCHEMA ON CATALOG … TO …; on schemas that are there: USE SCHEMA, CREATE TABLE, MODIFY, SELECT',
  },
  {
    when: /CATALOG_NOT_FOUND|NO_SUCH_CATALOG/i,
    recovery: 'abort',
    fix: 'correct the catalog: catalog under [destination.databricks.credentials]',
  },
  {
    when: /DELTA_CONCURRENT|ConcurrentAppend|ConcurrentModification|ProtocolChanged|MetadataChanged/i,
    recovery: 'retry',
    fix: 'run again: another load changed the same tables; what this one had changed was taken back',
  },
  {
    when: /TABLE_OR_VIEW_NOT_FOUND.*_sluice_stage_/is,
    recovery: 'retry',
    fix: 'run again: this load had stopped for so long that another one has taken it back',
  },
  {
    when: /DELTA_UNSUPPORTED_TIME_TRAVEL|VERSION_NOT_(FOUND|CONTIGUOUS)|RESTORE/i,
    recovery: 'abort',
    fix: 'the version before the load is gone by VACUUM: compare the table with its source, then delete its rows in _sluice_undo',
  },
  {
    when: /TEMPORARILY_UNAVAILABLE|(^|HTTP |status )50[234]\b|ECONNRESET|ETIMEDOUT|socket hang up/i,
    recovery: 'retry',
    fix: 'run again: the warehouse starts or did not answer, and the package waits',
  },
  {
    when: /CAST_INVALID_INPUT|CAST_OVERFLOW|NUMERIC_VALUE_OUT_OF_RANGE|CONSTRAINT_VIOLATED|DATATYPE_MISMATCH|EXCEED_LIMIT_LENGTH/,
    recovery: 'skip',
    fix: 'correct the rows with .map() or a column hint',
  },
]
