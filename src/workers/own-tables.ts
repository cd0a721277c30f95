export const ownSchema = 'sluice_jobs'

/** What jobs have come to, beside the engine's own tables. */
export const ownTables = `
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '${ownSchema}') THEN CREATE SCHEMA ${ownSchema}; END IF;
END $$;
CREATE TABLE IF NOT EXISTS ${ownSchema}.job_state (job text PRIMARY KEY, state jsonb NOT NULL);
CREATE TABLE IF NOT EXISTS ${ownSchema}.run (
  run text PRIMARY KEY,
  job text NOT NULL,
  items bigint NOT NULL,
  done bigint NOT NULL DEFAULT 0,
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz
);
CREATE TABLE IF NOT EXISTS ${ownSchema}.alert_told (channel text PRIMARY KEY, told jsonb NOT NULL);
CREATE TABLE IF NOT EXISTS ${ownSchema}.rate_budget (
  name text PRIMARY KEY,
  sent double precision[] NOT NULL,
  paused_until double precision NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS ${ownSchema}.loaded (
  job text NOT NULL,
  run text NOT NULL,
  pipeline text NOT NULL,
  rows bigint NOT NULL,
  changes jsonb NOT NULL,
  error jsonb,
  PRIMARY KEY (job, run, pipeline)
);
`

/** As JSON that PostgreSQL takes: in its texts there is no NUL, and no half of a character. */
export const jsonOf = (value: unknown): string =>
  JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'string' ? one.toWellFormed().replaceAll('\0', '\uFFFD') : one,
  )
