import { PipelineError, settingValue, type secret } from '../../index.ts'
import type { Alert } from './conditions.ts'

/** A value, or `secret('…')`, which is looked up under `[alerts]`. */
type Setting = string | ReturnType<typeof secret>

/** What is told at once: what is new, and what is over. */
export interface Message {
  project: string
  opened: readonly Alert[]
  closed: readonly Alert[]
}

/** Where alerts go. */
export interface Channel {
  name: string
  send(message: Message): Promise<void>
}

const timeoutMs = 15_000

/** A channel of Slack, by the address of an incoming webhook. */
export const slack = ({ url }: { url: Setting }): Channel => ({
  name: 'Slack',
  send: (message) => post('Slack', url, {}, { text: asText(message, '*') }),
})

/** Any address that takes JSON: `{ project, text, opened, closed }`. */
export const webhook = ({ url, headers = {} }: { url: Setting; headers?: Record<string, Setting> }): Channel => ({
  name: 'webhook',
  send: ({ project, opened, closed }) =>
    post('webhook', url, headers, { project, text: asText({ project, opened, closed }, ''), opened, closed }),
})

/** E-mail by SMTP. Needs the package `nodemailer`. */
export const email = ({
  smtp,
  from,
  to,
}: {
  smtp: Setting
  from: string
  to: string | readonly string[]
}): Channel => ({
  name: 'e-mail',
  async send(message) {
    const { createTransport } = await import('nodemailer').catch((cause: unknown) => {
      throw new PipelineError('e-mail needs the package nodemailer', {
        code: 'DRIVER_MISSING',
        fix: 'npm install nodemailer',
        cause,
      })
    })
    const transport = createTransport(valueOf(smtp), { connectionTimeout: timeoutMs })
    try {
      await transport.sendMail({ from, to: [to].flat(), subject: subject(message), text: asText(message, '') })
    } catch (cause) {
      throw notSent('e-mail', (cause as Error).message)
    } finally {
      transport.close()
    }
  },
})

const valueOf = (setting: Setting): string => settingValue(setting, 'alerts')

async function post(name: string, url: Setting, headers: Record<string, Setting>, body: unknown): Promise<void> {
  const sent = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, valueOf(value)]))
  const response = await fetch(valueOf(url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...sent },
    body: JSON.stringify(body),
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause: Error) => {
    throw notSent(name, cause.cause instanceof Error ? cause.cause.message : cause.message)
  })
  if (!response.ok) throw notSent(name, `it answered ${response.status}`)
}

const notSent = (name: string, why: string): PipelineError =>
  new PipelineError(`${name}: the alert was not sent: ${why}`, {
    code: 'HTTP_FAILED',
    recovery: 'retry',
    fix: 'it is sent again with the next one; try the channel: sluice schedule alerts --test',
  })

function subject({ project, opened, closed }: Message): string {
  if (opened.length === 0)
    return `${project}: ${closed.length === 1 ? closed[0]!.id : `${closed.length} alerts`} is over`
  return `${project}: ${opened.length === 1 ? opened[0]!.text : `${opened.length} alerts`}`.slice(0, 150)
}

/** Everything in one text, `strong` around what stands out. */
function asText({ project, opened, closed }: Message, strong: string): string {
  return [
    `${strong}${project}${strong}`,
    ...opened.map(({ text, fix }) => `✗ ${text}${fix === undefined ? '' : `\n   fix: ${fix}`}`),
    ...closed.map(({ text }) => `✓ over: ${text}`),
  ].join('\n')
}
