import type { ErrorRule } from '../error-rules.ts'

export const snowflakeErrors: readonly ErrorRule[] = [
  {
    when: /Insufficient privileges|^0*3001\b/i,
    recovery: 'abort',
    fix: 'give the role USAGE on the database, and CREATE SCHEMA on it or OWNERSHIP of a schema that exists',
  },
  {
    when: /No active warehouse|^0*606\b/i,
    recovery: 'abort',
    fix: 'set the warehouse, and let the role use it: GRANT USAGE ON WAREHOUSE … TO ROLE …',
  },
  {
    when: /does not exist or not authorized|^0*2003\b/i,
    recovery: 'abort',
    fix: 'check the name, and give the role rights on it: Snowflake tells neither from the other',
  },
  {
    when: /^(390114|390112)\b|Authentication token has expired/i,
    recovery: 'retry',
    fix: 'run again: the login has run out',
  },
  {
    when: /^0*625\b|deadlock|lock timeout|Statement reached its .* timeout/i,
    recovery: 'retry',
    fix: 'run again: another transaction was in the way',
  },
  {
    when: /exceeded its resource monitor quota|quota/i,
    recovery: 'abort',
    fix: 'raise the quota of the resource monitor, or wait for its next period',
  },
  {
    // By SQLSTATE, which follows Snowflake's own code: data that does not fit, constraints.
    when: /^\d+ 2[23]\w{3}\b/,
    recovery: 'skip',
    fix: 'correct the rows with .map() or a column hint',
  },
]
