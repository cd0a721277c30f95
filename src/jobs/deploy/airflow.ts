import type { Job } from '../job.ts'
import { chains, written, type Chain, type Deployment, type DeployedProject } from './project.ts'

/** A DAG for each job; one with intervals gets the data interval of Airflow, and is caught up. */
export function airflow(project: DeployedProject, projectDir: string): Deployment {
  const name = project.name.replaceAll('-', '_')
  const all = chains(project, { intervals: true })
  return {
    files: [{ path: `dags/sluice_${name}.py`, text: dagFile(name, all, project, projectDir) }],
    steps: [
      'put the file where Airflow looks for DAGs, and the project with its packages where its workers run',
      ...project.secrets.map((one) => `airflow variables set ${one} …     (or in your secrets backend)`),
    ],
  }
}

const python = (value: string): string => JSON.stringify(value)

function dagFile(name: string, all: readonly Chain[], { secrets }: DeployedProject, projectDir: string): string {
  const env = secrets.map((one) => `    ${python(one)}: "{{ var.value.${one} }}",`).join('\n')
  return `# ${written('airflow')}
from datetime import timedelta

import pendulum
from airflow import DAG

try:
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:  # Airflow 2
    from airflow.operators.bash import BashOperator

PROJECT = ${python(projectDir)}
ENV = {
${env}
}

${all.map((chain) => dag(name, chain)).join('\n')}`
}

function dag(name: string, { job, expression, timezone, commands }: Chain): string {
  const start = (job.start ?? new Date(0)).toISOString()
  const interval =
    job.start === undefined
      ? ''
      : ' --interval-start {{ data_interval_start.isoformat() }} --interval-end {{ data_interval_end.isoformat() }}'
  const tasks = commands.map((command, at) => {
    const task = `${at === 0 ? job.name : command.replace(/^.*schedule run (\S+).*$/, '$1')}`
    return `    ${variable(task)} = BashOperator(
        task_id=${python(task)},
        bash_command=${python(`${command}${at === 0 ? interval : ''}`)},
        cwd=PROJECT,
        env=ENV,
        append_env=True,
        execution_timeout=timedelta(milliseconds=${job.timeoutMs}),
        retries=${job.retries},
        retry_delay=timedelta(milliseconds=${job.retryWaitMs}),
        retry_exponential_backoff=True,
    )`
  })
  const names = commands.map((command) => variable(command.replace(/^.*schedule run (\S+).*$/, '$1')))
  return `with DAG(
    dag_id=${python(`sluice_${name}_${job.name}`)},
    schedule=${python(expression)},
    start_date=pendulum.parse(${python(start)}).in_timezone(${python(timezone)}),
    catchup=${pythonBoolean(job)},
    max_active_runs=1,
    tags=["sluice"],
):
${tasks.join('\n')}
${names.length > 1 ? `    ${names.join(' >> ')}\n` : ''}`
}

const variable = (task: string): string => `task_${task.replace(/\W/g, '_')}`
const pythonBoolean = (job: Job): string => (job.start === undefined ? 'False' : 'True')
