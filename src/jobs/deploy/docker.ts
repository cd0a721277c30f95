import { stringify } from 'yaml'
import { written, type Deployment, type DeployedProject } from './project.ts'

/** An image that runs the schedule as no root, and a compose file with what it remembers on a volume. */
export function docker(project: DeployedProject): Deployment {
  const { name, jobsFile, secrets } = project
  const file = jobsFile === 'sluice.jobs.ts' ? [] : ['--file', jobsFile]
  const compose = {
    services: {
      sluice: {
        build: { context: '.', dockerfile: 'Dockerfile.sluice' },
        image: `${name}-sluice`,
        restart: 'unless-stopped',
        init: true,
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        tmpfs: ['/tmp'],
        stop_grace_period: '60s',
        volumes: ['sluice-data:/data'],
        ...(secrets.length === 0 ? {} : { environment: secrets.map((one) => `${one}=\${${one}:?set it in .env}`) }),
      },
    },
    volumes: { 'sluice-data': {} },
  }
  return {
    files: [
      { path: 'Dockerfile.sluice', text: dockerfile(['node_modules/.bin/sluice', 'schedule', '--json', ...file]) },
      {
        path: 'Dockerfile.sluice.dockerignore',
        text: 'node_modules\n.git\n.env\n.sluice/secrets.toml\n.sluice/*.secrets.toml\n*.duckdb\n*.duckdb.wal\n',
      },
      {
        path: 'compose.sluice.yaml',
        text: `# ${written('docker')}\n${stringify(compose, { lineWidth: 0, aliasDuplicateObjects: false })}`,
      },
    ],
    steps: [
      ...secrets.map((one) => `in .env, which only you can read: ${one}=…`),
      'docker compose -f compose.sluice.yaml up --build --detach',
    ],
  }
}

const dockerfile = (command: readonly string[]): string => `# ${written('docker')}
FROM node:24-slim
ENV NODE_ENV=production SLUICE_DATA_DIR=/data
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund
COPY --chown=root:root . .
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
CMD ${JSON.stringify(command)}
`
