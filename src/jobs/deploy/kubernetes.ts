import { stringify } from 'yaml'
import { written, type Deployment, type DeployedProject } from './project.ts'

/** One pod that runs the schedule, with a volume for what it remembers, and no rights at the cluster. */
export function kubernetes({ name, jobsFile, secrets }: DeployedProject): Deployment {
  const app = `sluice-${name}`
  const labels = { app }
  const file = jobsFile === 'sluice.jobs.ts' ? [] : ['--file', jobsFile]
  const container = {
    name: 'sluice',
    image: `registry.example.com/${name}-sluice:1`,
    command: ['node_modules/.bin/sluice', 'schedule', '--json', ...file],
    env: [
      { name: 'SLUICE_DATA_DIR', value: '/data' },
      ...secrets.map((one) => ({ name: one, valueFrom: { secretKeyRef: { name: app, key: one } } })),
    ],
    resources: { requests: { cpu: '250m', memory: '512Mi' }, limits: { memory: '1Gi' } },
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    volumeMounts: [
      { name: 'data', mountPath: '/data' },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  }
  const objects = [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: app, labels },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: app, labels },
      spec: {
        // One scheduler at a time: the old pod ends before the new one begins.
        replicas: 1,
        strategy: { type: 'Recreate' },
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            automountServiceAccountToken: false,
            terminationGracePeriodSeconds: 60,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 1000,
              fsGroup: 1000,
              seccompProfile: { type: 'RuntimeDefault' },
            },
            containers: [container],
            volumes: [
              { name: 'data', persistentVolumeClaim: { claimName: app } },
              { name: 'tmp', emptyDir: {} },
            ],
          },
        },
      },
    },
  ]
  const text = objects.map((one) => stringify(one, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n')
  return {
    files: [{ path: `deploy/${app}.kubernetes.yaml`, text: `# ${written('kubernetes')}\n${text}` }],
    steps: [
      'build and push an image: npx sluice deploy docker writes its Dockerfile; put its name into the file',
      ...(secrets.length === 0
        ? []
        : [`kubectl create secret generic ${app} --from-env-file=${app}.env     (then delete that file)`]),
      `kubectl apply -f deploy/${app}.kubernetes.yaml`,
    ],
  }
}
