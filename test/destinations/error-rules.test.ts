import { describe, expect, it } from 'vitest'
import { bigqueryErrors } from '../../src/destinations/bigquery/errors.ts'
import { databricksErrors } from '../../src/destinations/databricks/errors.ts'
import { duckdbErrors } from '../../src/destinations/duckdb/errors.ts'
import { classifyError, explainedBy } from '../../src/destinations/error-rules.ts'
import { postgresErrors } from '../../src/destinations/postgres/errors.ts'
import { redshiftErrors } from '../../src/destinations/redshift/errors.ts'
import { snowflakeErrors } from '../../src/destinations/snowflake/errors.ts'
import { PipelineError } from '../../src/errors/index.ts'

const rules = {
  duckdb: duckdbErrors,
  postgres: postgresErrors,
  redshift: redshiftErrors,
  snowflake: snowflakeErrors,
  bigquery: bigqueryErrors,
  databricks: databricksErrors,
}

/** An error as its driver throws it. */
const thrown = (message: string, more: object = {}): Error => Object.assign(new Error(message), more)

// Messages as the databases' documentation and issue trackers show them.
describe('what an error of a database means', () => {
  it.each([
    [
      'duckdb',
      thrown('IO Error: Could not set lock on file "/x.duckdb": Conflicting lock is held'),
      'retry',
      /close the/,
    ],
    ['duckdb', thrown('Out of Memory Error: failed to allocate data of size 16.0 MiB'), 'retry', /memory_limit/],
    ['postgres', thrown('permission denied for database shop', { code: '42501' }), 'abort', /GRANT CREATE/],
    ['postgres', thrown('deadlock detected', { code: '40P01' }), 'retry', /run again/],
    ['postgres', thrown('Connection terminated unexpectedly'), 'retry', /nothing of the load was written/],
    ['redshift', thrown('S3ServiceException:Access Denied,Status 403,Error AccessDenied'), 'abort', /s3:GetObject/],
    ['redshift', thrown('1023\n DETAIL: Serializable isolation violation on table - 1234'), 'retry', /run again/],
    [
      'redshift',
      thrown("Load into table 't' failed. Check 'sys_load_error_detail' system table for details."),
      'skip',
      /SELECT \* FROM sys_load_error_detail/,
    ],
    [
      'snowflake',
      thrown("SQL access control error: Insufficient privileges to operate on schema 'X'", { code: 3001 }),
      'abort',
      /CREATE SCHEMA/,
    ],
    [
      'snowflake',
      thrown('No active warehouse selected in the current session.', { code: '000606' }),
      'abort',
      /USAGE ON WAREHOUSE/,
    ],
    [
      'snowflake',
      thrown("SQL compilation error: Database 'X' does not exist or not authorized.", { code: '002003' }),
      'abort',
      /check the name/,
    ],
    [
      'bigquery',
      thrown('Access Denied: Project p: User does not have bigquery.jobs.create permission in project p.', {
        code: 403,
      }),
      'abort',
      /Job User/,
    ],
    [
      'bigquery',
      thrown('Access Denied: Dataset p:d: Permission bigquery.tables.create denied on dataset p:d', {
        code: 403,
        errors: [{ reason: 'accessDenied' }],
      }),
      'abort',
      /Data Editor/,
    ],
    [
      'bigquery',
      thrown('Not found: Dataset p:d was not found in location US', { code: 404 }),
      'abort',
      /location under/,
    ],
    [
      'bigquery',
      thrown('Transaction is aborted due to concurrent update against table p:d.t.'),
      'retry',
      /nothing of this one/,
    ],
    ['bigquery', thrown('Exceeded rate limits', { errors: [{ reason: 'rateLimitExceeded' }] }), 'retry', /quota/],
    ['bigquery', thrown('Could not load the default credentials.'), 'abort', /gcloud auth/],
    ['bigquery', thrown('request to https://x failed, reason: getaddrinfo ENOTFOUND x'), 'retry', /network/],
    [
      'databricks',
      thrown("[INSUFFICIENT_PERMISSIONS] Insufficient privileges: User does not have CREATE TABLE on Schema 'main.x'."),
      'abort',
      /USE CATALOG/,
    ],
    [
      'databricks',
      thrown("PERMISSION_DENIED: User does not have CREATE VOLUME on Schema 'main.x'."),
      'abort',
      /staging_volume_name/,
    ],
    [
      'databricks',
      thrown('[DELTA_CONCURRENT_APPEND] ConcurrentAppendException: Files were added'),
      'retry',
      /taken back/,
    ],
    [
      'databricks',
      thrown('[TABLE_OR_VIEW_NOT_FOUND] The table or view `d`.`_sluice_stage_1_0` cannot be found.'),
      'retry',
      /another one has taken it back/,
    ],
  ] as const)('%s: %s', (database, error, recovery, fix) => {
    expect(classifyError(rules[database], error)).toMatchObject({ recovery, fix: expect.stringMatching(fix) })
  })

  it('an error that no rule knows stays as it is, and so does one that is explained already', () => {
    const unknown = thrown('something else')
    // A rule would fit its words.
    const known = new PipelineError('the table already exists', { code: 'LOAD_FAILED', fix: 'y' })
    for (const [name, list] of Object.entries(rules)) {
      expect(explainedBy(list, name, unknown)).toBe(unknown)
      expect(explainedBy(list, name, known)).toBe(known)
    }
  })

  it('is told with the name of the destination, in one line', () => {
    const error = explainedBy(bigqueryErrors, 'bigquery', thrown('Access Denied: Dataset p:d\nmore\nlines'))
    expect(String((error as Error).message)).toBe(
      'destination "bigquery": Access Denied: Dataset p:d\n' +
        '  fix: give the account the role BigQuery Data Editor on the project, or on the dataset when that is there already',
    )
  })
})
