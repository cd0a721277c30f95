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
]
