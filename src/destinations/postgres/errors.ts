import type { ErrorRule } from '../error-rules.ts'

/** By SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const postgresErrors: readonly ErrorRule[] = [
  {
    when: /^42501\b/,
    recovery: 'abort',
    fix: 'GRANT USAGE, CREATE ON SCHEMA … TO … for a schema that exists, or GRANT CREATE ON DATABASE … TO …; the user must own the tables it loads into',
  },
  { when: /^(40001|40P01|55P03)\b/, recovery: 'retry', fix: 'run again: another transaction was in the way' },
  { when: /^53300\b/, recovery: 'retry', fix: 'run again when connections are free, or raise max_connections' },
  {
    when: /^53100\b/,
    recovery: 'retry',
    fix: 'make room on the disk of the server, then run again: the package waits',
  },
  {
    when: /^(57P01|57P02|57P03|08\w{3})\b|ECONNRESET|Connection terminated/,
    recovery: 'retry',
    fix: 'run again when the server answers: nothing of the load was written',
  },
  {
    when: /^22001\b/,
    recovery: 'abort',
    fix: 'a text is longer than its column: give the column more precision, or alter its type in the database',
  },
]
