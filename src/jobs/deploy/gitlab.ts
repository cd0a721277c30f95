import { stringify } from 'yaml'
import { chains, written, type Deployment, type DeployedProject } from './project.ts'

/** One file with a job for each; GitLab keeps the times beside it, as pipeline schedules. */
export function gitlab(project: DeployedProject): Deployment {
  const all = chains(project)
  const jobs = Object.fromEntries(
    all.map(({ job, commands, timeoutMinutes }) => [
      `sluice ${job.name}`,
      {
        image: 'node:24-slim',
        rules: [{ if: `$CI_PIPELINE_SOURCE == "schedule" && $SLUICE_JOB == "${job.name}"` }],
        resource_group: `sluice-${job.name}`,
        timeout: `${timeoutMinutes} minutes`,
        interruptible: false,
        cache: { key: { files: ['package-lock.json'] }, paths: ['.npm/'] },
        script: ['npm ci --cache .npm --no-audit --no-fund', ...commands],
      },
    ]),
  )
  return {
    files: [
      {
        path: '.gitlab/sluice.gitlab-ci.yml',
        text: `# ${written('gitlab')}\n${stringify(jobs, { lineWidth: 0, aliasDuplicateObjects: false })}`,
      },
    ],
    steps: [
      'in .gitlab-ci.yml: include: [{ local: .gitlab/sluice.gitlab-ci.yml }]',
      ...project.secrets.map((name) => `Settings → CI/CD → Variables: ${name}, masked and protected`),
      ...all.map(
        ({ job, expression, timezone }) =>
          `Build → Pipeline schedules: ${expression} in ${timezone}, with the variable SLUICE_JOB = ${job.name}`,
      ),
    ],
  }
}
