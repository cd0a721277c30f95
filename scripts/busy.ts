/**
 * Runs an npm script while two processes keep the processors busy, as on a shared machine, and says how long each run took:
 * `npm run test:busy -- test:all --times 3`. Ends with the first run that fails.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { times: { type: 'string', default: '1' }, busy: { type: 'string', default: '2' } },
})
const [script = 'test'] = positionals

const spinning = Array.from({ length: Number(values.busy) }, () =>
  // A process of its own ends with this one: its standard input closes.
  spawn(
    process.execPath,
    [
      '-e',
      'process.stdin.on("close", () => process.exit()).resume(); setInterval(() => { const end = Date.now() + 45; while (Date.now() < end); }, 0)',
    ],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  ),
)
try {
  for (let at = 1; at <= Number(values.times); at++) {
    const begun = performance.now()
    const [code] = (await once(spawn('npm', ['run', script], { stdio: 'inherit' }), 'exit')) as [number | null]
    const seconds = Math.round((performance.now() - begun) / 1000)
    const minutes = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min`
    console.log(`npm run ${script}, run ${at} of ${values.times}: ${code === 0 ? 'passed' : 'failed'} in ${minutes}`)
    if (code !== 0) process.exitCode = 1
    if (code !== 0) break
  }
} finally {
  for (const child of spinning) child.kill()
}
