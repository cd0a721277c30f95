import { addSecret, PipelineError, withDriver } from '../../errors/index.ts'
import { withOptions, type Capabilities, type NameOptions } from '../capabilities.ts'
import type { Destination, SqlConnection } from '../destination.ts'
import { sqlDestination, type SqlDestinationParts } from '../sql/sql-destination.ts'
import { redshiftSessionSettings } from '../postgres/session.ts'
import { withScratch, type WithScratch } from '../duckdb/scratch.ts'
import { stagingArea, type StagingArea, type StagingOptions } from '../staging/staging-area.ts'
import type { S3Credentials } from '../stores/index.ts'
import { copyFromS3, type CopyOptions } from './copy-from-s3.ts'
import { literal, redshiftDialect } from './dialect.ts'
import { redshiftErrors } from './errors.ts'

export interface RedshiftOptions extends NameOptions {
  /** `redshift://user:password@cluster.example.eu-west-1.redshift.amazonaws.com:5439/database`. */
  url: string
  /** A bucket on S3 through which the rows go; Redshift reads them from there. */
  staging: StagingOptions
  /** ARN of the role by which Redshift reads the bucket. Without it, it gets the keys of the bucket's credentials. */
  iamRole?: string
}

/** The packages that a project installs beside this one: the wire is PostgreSQL's, the staging area a bucket on S3. */
export const drivers: readonly string[] = ['pg', 'pg-copy-streams', '@aws-sdk/client-s3', '@aws-sdk/lib-storage']

const capabilities: Capabilities = {
  identifiers: {
    maxLength: 127,
    naming: 'snake_case',
    reserved: {
      names: ['oid', 'tableoid', 'xmin', 'xmax', 'cmin', 'cmax', 'ctid', 'deletexid', 'insertxid'],
    },
  },
  ddl: { maxColumns: 1600 },
  text: { takesNul: false },
  storage: { decimalDigits: 38, textBytes: 65_535 },
  load: {
    mergeStrategies: ['delete-insert', 'upsert', 'insert-only', 'scd2'],
    // By DELETE: TRUNCATE would end the transaction.
    replaceStrategy: 'truncate-and-insert',
    early: false,
  },
}

/** Amazon Redshift as destination; needs the packages `pg`, `pg-copy-streams` and those of the AWS SDK for S3. */
export const redshift = (options: RedshiftOptions): Destination => sqlDestination(redshiftParts(options))

/** The parts of the destination, for tests that stand between them. */
export function redshiftParts(options: RedshiftOptions): SqlDestinationParts {
  return {
    name: 'redshift',
    capabilities: withOptions(capabilities, options),
    dialect: redshiftDialect,
    errors: redshiftErrors,
    async connect({ dataset, readOnly }) {
      const { openPostgres } = await withDriver(
        'destination "redshift"',
        drivers,
        () => import('../postgres/connection.ts'),
      )
      const place = { port: 5439, url: asPostgres(options.url) }
      const { connection, location } = await openPostgres(place, {
        session: redshiftSessionSettings,
        reading: readOnly,
      })
      const staging = { area: await stagingArea(options.staging, dataset), options: copyOptions(options) }
      return {
        connection: await withScratch({ ...connection, staging }),
        location: location.replace(/^postgres:/, 'redshift:'),
      }
    },
    bulkLoad: (connection, load) => copyFromS3(connection as Loading, load, (connection as Loading).staging),
  }
}

/** A connection with what its loads need. */
type Loading = WithScratch<SqlConnection & { staging: { area: StagingArea; options: CopyOptions } }>

/** dlt writes `redshift://`; the wire is PostgreSQL's. */
const asPostgres = (url: string): string => url.replace(/^redshift(\+\w+)?:\/\//, 'postgres://')

function copyOptions({ iamRole, staging }: RedshiftOptions): CopyOptions {
  const credentials = (staging.credentials ?? {}) as S3Credentials
  return { authorization: authorization(iamRole, credentials), region: credentials.region }
}

function authorization(
  iamRole: string | undefined,
  { accessKeyId, secretAccessKey, sessionToken }: S3Credentials,
): string {
  if (iamRole !== undefined) return `IAM_ROLE ${literal(iamRole)}`
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new PipelineError('destination "redshift" has no right to read the staged files', {
      code: 'CONFIG_MISSING',
      fix: 'give iamRole, the ARN of a role that is attached to the cluster, or keys among the credentials of the bucket',
    })
  }
  for (const secret of [secretAccessKey, sessionToken]) if (secret !== undefined) addSecret(secret)
  const session = sessionToken === undefined ? '' : ` SESSION_TOKEN ${literal(sessionToken)}`
  return `ACCESS_KEY_ID ${literal(accessKeyId)} SECRET_ACCESS_KEY ${literal(secretAccessKey)}${session}`
}
