import { stringify } from 'yaml'
import { cannot, chains, written, type Chain, type Deployment, type DeployedProject } from './project.ts'

/** Pinned to commits: a tag can be moved. */
const actions = {
  checkout: 'actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683', // v4.2.2
  setupNode: 'actions/setup-node@49933ea5288caeca8642d1e84afbd3f7d6820020', // v4.4.0
}

/** A workflow for each job; its clock is in UTC. */
export function githubActions(project: DeployedProject): Deployment {
  return {
    files: chains(project).map((chain) => ({
      path: `.github/workflows/sluice-${chain.job.name}.yml`,
      text: `# ${written('github-actions')}\n${workflow(chain, project)}`,
    })),
    steps: [
      ...project.secrets.map((name) => `gh secret set ${name}     (it asks for the value)`),
      'commit the workflows; GitHub may begin them some minutes late',
    ],
  }
}

function workflow(
  { job, expression, timezone, commands, timeoutMinutes }: Chain,
  { secrets }: DeployedProject,
): string {
  const env = Object.fromEntries(secrets.map((name) => [name, `\${{ secrets.${name} }}`]))
  return stringify(
    {
      name: `sluice ${job.name}`,
      on: { schedule: [{ cron: inUtc(job, expression, timezone) }], workflow_dispatch: {} },
      permissions: { contents: 'read' },
      concurrency: { group: `sluice-${job.name}`, 'cancel-in-progress': false },
      jobs: {
        load: {
          'runs-on': 'ubuntu-24.04',
          'timeout-minutes': Math.min(timeoutMinutes, 360),
          steps: [
            { uses: actions.checkout, with: { 'persist-credentials': false } },
            { uses: actions.setupNode, with: { 'node-version': 24, cache: 'npm' } },
            { run: 'npm ci --no-audit --no-fund' },
            ...commands.map((run) => ({ run, ...(secrets.length === 0 ? {} : { env }) })),
          ],
        },
      },
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  )
}

function inUtc(job: Chain['job'], expression: string, timezone: string): string {
  const fields = expression.trim().split(/\s+/)
  if (fields.length !== 5) throw cannot(job, 'cron of GitHub has five fields', 'leave out the seconds')
  const isAnyHour = fields.slice(1).every((field) => field === '*')
  if (timezone === 'UTC' || isAnyHour) return expression
  throw cannot(
    job,
    `GitHub’s clock is UTC, and ${timezone} moves against it`,
    'write the time in UTC; or use a host that knows time zones: docker, systemd, kubernetes',
  )
}
