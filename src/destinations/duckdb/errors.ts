import type { ErrorRule } from '../error-rules.ts'

export const duckdbErrors: readonly ErrorRule[] = [
  {
    when: /Could not set lock on file|Conflicting lock/i,
    recovery: 'retry',
    fix: 'close the program that has the file open for writing, then run again',
  },
  {
    when: /no space left on device/i,
    recovery: 'retry',
    fix: 'make room on the disk of the destination, then run again: the package waits',
  },
  {
    when: /Out of Memory Error/i,
    recovery: 'retry',
    fix: "give DuckDB more memory: duckdb({ settings: { memory_limit: '4GB' } }), then run again: the package waits",
  },
  {
    when: /Permission denied|read-only/i,
    recovery: 'abort',
    fix: 'let this user write the database file and its folder',
  },
  {
    when: /conflict|\bIO Error/i,
    recovery: 'retry',
    fix: 'run again: nothing of the load was written',
  },
  {
    when: /depends? on|constraint specified|referenced by the generated column/i,
    recovery: 'skip',
    fix: "drop the indexes and constraints that depend on the table first; refresh: 'drop_data' empties a table and keeps it",
  },
  {
    when: /^Constraint Error|constraint violated/i,
    recovery: 'skip',
    fix: 'correct the rows, or drop the constraint that refuses them',
  },
  {
    when: /^(Conversion|Out of Range|Invalid Input|Mismatch Type|Not implemented) Error/i,
    recovery: 'skip',
    fix: 'correct the rows with .map() or a column hint',
  },
]
