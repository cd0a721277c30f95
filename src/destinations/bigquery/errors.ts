import type { ErrorRule } from '../error-rules.ts'

/** By the reasons of https://cloud.google.com/bigquery/docs/error-messages */
export const bigqueryErrors: readonly ErrorRule[] = [
  {
    when: /bigquery\.jobs\.create/i,
    recovery: 'abort',
    fix: 'give the account the role BigQuery Job User on the project',
  },
  {
    when: /\baccessDenied\b|Access Denied|bigquery\.(tables|datasets)\.\w+ (permission|denied)/i,
    recovery: 'abort',
    fix: 'give the account the role BigQuery Data Editor on the project, or on the dataset when that is there already',
  },
  {
    when: /not ?found: dataset .*location|was not found in location/i,
    recovery: 'abort',
    fix: 'set the location in which the dataset stands: location under [destination.bigquery]',
  },
  {
    when: /invalid_grant|invalid_client|Could not load the default credentials|unauthenticated|^401\b/i,
    recovery: 'abort',
    fix: 'set client_email and private_key of a service account, or run: gcloud auth application-default login',
  },
  {
    when: /aborted due to concurrent update|could not serialize access/i,
    recovery: 'retry',
    fix: 'run again: another load changed the same tables, and nothing of this one was written',
  },
  {
    when: /\b(rateLimitExceeded|quotaExceeded|jobRateLimitExceeded)\b/,
    recovery: 'retry',
    fix: 'run again later, with fewer runs or larger packages: a quota of the project is used up',
  },
  {
    when: /^50[0234]\b|\b(backendError|internalError|jobBackendError|jobInternalError)\b|ECONNRESET|ETIMEDOUT/,
    recovery: 'retry',
    fix: 'run again: BigQuery had an error of its own, and the package waits',
  },
  {
    when: /ECONNREFUSED|ENOTFOUND|EAI_AGAIN/,
    recovery: 'retry',
    fix: 'check the network of this machine, its proxy, and api_endpoint where it is set',
  },
  {
    when: /\bbillingNotEnabled\b|billing/i,
    recovery: 'abort',
    fix: 'enable billing for the project: the sandbox takes no DML',
  },
  {
    when: /^(400 )?(invalid|invalidQuery)\b/,
    recovery: 'skip',
    fix: 'correct the rows with .map() or a column hint',
  },
]
