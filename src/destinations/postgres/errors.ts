import type { ErrorRule } from '../error-rules.ts'

/** By SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const postgresErrors: readonly ErrorRule[] = [
  {
    when: /^42501\b.*(must be owner of|denied for) (table|view|materialized view|sequence|relation)/,
    recovery: 'skip',
    fix: 'let the user own the table: ALTER TABLE … OWNER TO …, or load into another one with tableName',
  },
  {
    when: /^42501\b/,
    recovery: 'abort',
    fix: 'GRANT USAGE, CREATE ON SCHEMA … TO … for a schema that exists, or GRANT CREATE ON DATABASE … TO …; the user must own the tables it loads into',
  },
  { when: /^(40001|40P01|55P03)\b/, recovery: 'retry', fix: 'run again: another transaction was in the way' },
  { when: /^(57014|55006|58\w{3}|53200|53400)\b/, recovery: 'retry', fix: 'run again: the server was busy' },
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
    recovery: 'skip',
    fix: 'a text is longer than its column: give the column more precision, or alter its type in the database',
  },
  {
    when: /^54000\b.*row is too big/,
    recovery: 'skip',
    fix: "a row needs more than a page of 8 KB: keep many columns as one of JSON (dataType: 'json'), or make rows of them with .map()",
  },
  {
    when: /^(2BP01|0A000)\b.*(depend|drop|alter|view|rule)/i,
    recovery: 'skip',
    fix: "drop the views and constraints that depend on the table first; refresh: 'drop_data' empties a table and keeps it",
  },
  {
    // Two transactions that create the same schema, type or table: IF NOT EXISTS does not keep the second one from failing.
    when: /^23505\b.*\bpg_\w+_index\b|^42P0[67]\b|tuple concurrently updated/,
    recovery: 'retry',
    fix: 'run again: another transaction created the same schema or table at the same time',
  },
  {
    when: /^23\w{3}\b/,
    recovery: 'skip',
    fix: 'correct the rows, or drop the constraint that refuses them',
  },
  {
    // Data, limits, statements that cannot be. A table or column that is not there may be there again.
    when: /^(0A|21|22|2B|54|42(?!501|P01|703))/,
    recovery: 'skip',
    fix: 'correct the rows with .map() or a column hint',
  },
]
