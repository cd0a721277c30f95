/**
 * Settings that decide how a value is written and what a statement means. A database, a role or the server may have others as
 * their defaults, so each connection states the ones it relies on. `search_path` stays, because triggers of the tables may
 * rely on it: every name is qualified instead.
 */
const session = {
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  // The shortest text that is the same number; before version 12, the most digits that Redshift takes too.
  extra_float_digits: '2',
  bytea_output: 'hex',
  standard_conforming_strings: 'on',
  client_min_messages: 'warning',
}

/** Redshift knows fewer settings. */
const { IntervalStyle: _, bytea_output: __, standard_conforming_strings: ___, ...onRedshift } = session

const asStatements = (settings: Record<string, string>): string =>
  Object.entries(settings)
    .map(([name, value]) => `SET ${name} = '${value}'`)
    .join('; ')

export const sessionSettings = asStatements(session)
export const redshiftSessionSettings = asStatements(onRedshift)

/** For a transaction that reads: a pooler may have given it a connection without the settings of the session. */
export const readingSettings = `SET LOCAL extra_float_digits = ${session.extra_float_digits}`

/**
 * Begins the transaction of a load, which states its isolation and that it writes. A load takes as long as its rows take,
 * and one that a time limit has cut would be cut again: limits on statements and transactions are off in it, as for pg_dump.
 */
export const beginLoad = [
  'BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE NOT DEFERRABLE',
  `SELECT set_config(name, '0', true) FROM pg_catalog.pg_settings WHERE setting <> '0' AND name IN ` +
    `('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout')`,
].join('; ')
