import { written, type Deployment, type DeployedProject } from './project.ts'

/** A service that runs the schedule as a user of its own, and may write nothing but its own folder. */
export function systemd({ name, jobsFile, secrets }: DeployedProject, projectDir: string): Deployment {
  const unit = `sluice-${name}`
  const file = jobsFile === 'sluice.jobs.ts' ? '' : ` --file ${jobsFile}`
  const text = `# ${written('systemd')}
[Unit]
Description=Sluice schedule of ${name}
Wants=network-online.target
After=network-online.target

[Service]
WorkingDirectory=${projectDir}
ExecStart=${projectDir}/node_modules/.bin/sluice schedule --json${file}
${secrets.length === 0 ? '' : `EnvironmentFile=/etc/${unit}.env\n`}Environment=NODE_ENV=production SLUICE_DATA_DIR=/var/lib/${unit}
StateDirectory=${unit}
DynamicUser=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
Restart=always
RestartSec=10
TimeoutStopSec=60

[Install]
WantedBy=multi-user.target
`
  return {
    files: [{ path: `deploy/${unit}.service`, text }],
    steps: [
      ...(secrets.length === 0
        ? []
        : [`in /etc/${unit}.env, owned by root, mode 600: ${secrets.map((one) => `${one}=…`).join(', ')}`]),
      `sudo cp deploy/${unit}.service /etc/systemd/system/`,
      `sudo systemctl enable --now ${unit}`,
    ],
  }
}
