// Asked by Claude Code, Cursor, Codex and VS Code before an assistant uses a tool. It ends with 2 when that would show secrets of
// this project, or change this guard: the host then does not go on. It comes from Sluice and needs only Node.
//
// It stops accidents, not intent: a program that makes up the name of a file while it runs is not seen. Where that matters, keep
// secrets out of reach: in ~/.sluice/secrets.toml behind the host's sandbox, or in the environment of another user.
import { readFileSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

async function decide() {
  const text = readFileSync(0, 'utf8')
  let asked
  try {
    asked = JSON.parse(text)
  } catch {
    return /secrets\.toml/i.test(text) ? { reason: 'the question cannot be read, and names secrets.toml' } : {}
  }
  const { refusedTool } = await import('./guard/tool.mjs')
  const { placesOf } = await import('./guard/places.mjs')
  const { tool_name: tool = '', tool_input: given, hook_event_name: event = '', cwd } = asked
  const root = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))))
  const places = placesOf({ root, home: homedir(), folder: typeof cwd === 'string' && cwd !== '' ? cwd : root })
  // Cursor puts what is asked at the top; `content` there is what a file holds.
  const input = given ?? { command: asked.command, file_path: asked.file_path }
  return { reason: refusedTool({ tool, input }, places), isCursor: /^before|^preToolUse/.test(event) }
}

const { reason, isCursor } = await decide().catch((error) => ({
  reason: `the guard failed (${error instanceof Error ? error.message.split('\n')[0] : error}); npx sluice ai init --overwrite puts it right`,
}))
const advice =
  'Secrets are not for assistants. What is set: npx sluice secrets list. A person sets one: npx sluice secrets set <key>.'
if (reason === undefined) {
  if (isCursor) console.log(JSON.stringify({ permission: 'allow' }))
} else {
  if (isCursor)
    console.log(
      JSON.stringify({ permission: 'deny', user_message: `Sluice: ${reason}`, agent_message: `${reason}. ${advice}` }),
    )
  console.error(`Blocked: ${reason}. ${advice}`)
  process.exitCode = 2
}
