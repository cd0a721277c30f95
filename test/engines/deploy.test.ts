/** @module-tag engine */
/** Files of `sluice deploy`, read by what will read them. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { deployment, writeFiles } from '../../src/jobs/deploy/index.ts'
import { after, cron, job } from '../../src/jobs/index.ts'
import { installAirflow, installSchemas } from './install.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-deployed-'))
const shop = job({ run: 'shop.source.yaml', trigger: cron('15 * * * *', { timezone: 'Europe/Berlin' }) })
shop.name = 'shop'
const report = job({ run: 'report.ts', trigger: after(shop) })
report.name = 'report'
const days = job({
  run: 'days.ts',
  trigger: cron('0 6 * * *', { timezone: 'Europe/Berlin' }),
  interval: { start: '2025-01-01' },
})
days.name = 'days'

const written = (host: string, jobs = [shop, report]): string[] => {
  const project = { name: 'acme', jobsFile: 'sluice.jobs.ts', jobs, secrets: ['SOURCES__SHOP__TOKEN'] }
  return writeFiles(folder, deployment(host, project, folder), true).map(({ path }) => join(folder, path))
}

it('GitLab and Docker Compose: as their published schemas say', { timeout: 300_000 }, () => {
  const check = installSchemas()
  const validate = (schema: string, path: string) =>
    spawnSync(check, ['--builtin-schema', schema, path], { encoding: 'utf8' })
  const [pipeline] = written('gitlab')
  expect(validate('vendor.gitlab-ci', pipeline!)).toMatchObject({ status: 0 })
  const compose = written('docker').find((path) => path.endsWith('.yaml'))!
  expect(validate('vendor.compose-spec', compose)).toMatchObject({ status: 0 })
  const wrong = join(folder, 'wrong.yaml')
  writeFileSync(wrong, 'services: { a: { ports: 1 } }')
  expect(validate('vendor.compose-spec', wrong).status).not.toBe(0)
})

it(
  'Airflow: DAGs without an error, in their time zone, caught up where there are intervals',
  { timeout: 900_000 },
  () => {
    const python = installAirflow()
    written('airflow', [shop, report, days])
    const script = join(folder, 'look.py')
    writeFileSync(
      script,
      `import json
from airflow.models.dagbag import DagBag
bag = DagBag(dag_folder=${JSON.stringify(join(folder, 'dags'))}, include_examples=False, safe_mode=False, read_dags_from_db=False)
print(json.dumps({"errors": bag.import_errors, "dags": {d.dag_id: [str(d.timezone), d.catchup, d.max_active_runs, [[t.task_id, sorted(t.downstream_task_ids)] for t in d.tasks]] for d in bag.dags.values()}}))
`,
    )
    const env = {
      ...process.env,
      AIRFLOW_HOME: join(folder, 'airflow'),
      AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: `sqlite:///${join(folder, 'airflow.db')}`,
    }
    const said = execFileSync(python, [script], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] })
    expect(JSON.parse(said.trim().split('\n').at(-1)!)).toEqual({
      errors: {},
      dags: {
        sluice_acme_shop: [
          'Europe/Berlin',
          false,
          1,
          [
            ['shop', ['report']],
            ['report', []],
          ],
        ],
        sluice_acme_days: ['Europe/Berlin', true, 1, [['days', []]]],
      },
    })
  },
)
