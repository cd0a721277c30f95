import type { Column, DataType } from '../../schema/index.ts'
import type { SqlDialect } from '../destination.ts'

const quote = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** Spelled as PostgreSQL's `format_type` spells them, so that stored and wanted types can be compared. */
const typeNames: Record<DataType, (column: Column) => string> = {
  text: ({ precision }) => (precision === undefined ? 'character varying' : `character varying(${precision})`),
  double: () => 'double precision',
  bool: () => 'boolean',
  timestamp: ({ timezone }) => (timezone === false ? 'timestamp without time zone' : 'timestamp with time zone'),
  bigint: () => 'bigint',
  binary: () => 'bytea',
  json: () => 'jsonb',
  decimal: ({ precision, scale }) => `numeric(${precision ?? 38},${scale ?? (precision === undefined ? 9 : 0)})`,
  // dlt's width: 256-bit integers with as many decimals.
  wei: () => 'numeric(156,78)',
  date: () => 'date',
  time: () => 'time without time zone',
}

const typeName = (column: Column): string => typeNames[column.dataType!](column)

const refusedFunctions = [
  'pg_read_*',
  'pg_ls_*',
  'pg_stat_file',
  'pg_file_*',
  'pg_logdir_ls',
  'pg_current_logfile',
  'lo_*',
  'loread',
  'lowrite',
  'dblink*',
  'query_to_xml*',
  'table_to_xml*',
  'schema_to_xml*',
  'database_to_xml*',
  'cursor_to_xml*',
  'ts_stat',
  'ts_rewrite',
  'crosstab*',
  'connectby',
  'xpath_table',
  'set_config',
  'pg_terminate_backend',
  'pg_cancel_backend',
  'pg_reload_conf',
  'pg_rotate_logfile',
  'pg_switch_wal',
  'pg_promote',
  'pg_notify',
  'pg_logical_emit_message',
  'pg_replication_*',
  'pg_create_*',
  'pg_drop_*',
  'pg_*advisory*',
  'pg_backup_*',
  'pg_start_backup',
  'pg_stop_backup',
  'pg_import_system_collations',
  'pg_log_backend_memory_contexts',
  'pg_wal_replay_*',
  'pg_export_snapshot',
]

export const postgresDialect: SqlDialect = {
  refusedFunctions,
  quote,
  typeName,
  // The length of a text is checked when it reaches its table, with the table's own message.
  fromText: (column, cell) => (column.dataType === 'binary' ? `decode(${cell}, 'hex')` : cell),
  cellType: (dataType, column) => (dataType === 'binary' ? 'text' : typeName(column)),
  arrivalOrder: 'ctid',
  literal,
  timestampLiteral: (text) => `TIMESTAMPTZ ${literal(text)}`,
  rowAsJson: (alias) => `to_jsonb(${alias})`,
  lock: (name) => `SELECT pg_advisory_xact_lock(hashtext(${literal(name)}))`,
  createStaging: (name, columns) => `CREATE TEMP TABLE ${name} (${columns.join(', ')}) ON COMMIT DROP`,
  findSchema: 'SELECT nspname AS name FROM pg_namespace WHERE nspname = $1',
  listColumns:
    'SELECT c.relname AS table_name, a.attname AS column_name, format_type(a.atttypid, a.atttypmod) AS data_type ' +
    'FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace ' +
    "WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum",
}
