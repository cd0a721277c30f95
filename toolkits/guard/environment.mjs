// Commands that print the environment, or one variable of it that holds a secret.
import { hasMarks } from './shell.mjs'
import { isInterpreter, isShell, programOf, proseOf } from './programs.mjs'

/** Whether a program prints the variables of the environment. */
export function showsEnvironment({ name, rest, showsAll }) {
  const isBare = rest.every((word) => word.startsWith('-'))
  if (showsAll) return true
  if (name === 'printenv') return isBare
  if (/^(declare|typeset|export|readonly|local)$/.test(name)) return isBare || rest.some((word) => /^-\w*p/.test(word))
  if (name === 'set') return rest.length === 0
  if (name === 'alias')
    return rest.some((word) => /=\s*(\S*\/)?(env|printenv|set|export|declare( -\w+)?)\s*$/.test(word))
  if (name === 'sed') return rest.some((word) => /(^|[;\d$}/\s])e\s*(env|printenv)\b/.test(word))
  if (/^(pwsh|powershell)$/.test(name)) return rest.some((word) => /\benv:(?!\w)/i.test(word))
  if (name === 'ps') return rest.some((word) => /^[a-z]*e[a-z]*$/.test(word) || /^-\w*E/.test(word))
  if (/^(npm|npx|yarn|pnpm|bun|bunx)$/.test(name))
    return /^(run|exec|x|run-script)? ?(--\s)?(env|printenv)$/.test(
      rest.filter((word) => !word.startsWith('-')).join(' '),
    )
  if (name === 'make') return rest.some((word) => /^-\w*p|^--print-data-base/.test(word))
  if (name === 'systemctl' || name === 'launchctl') return rest.includes('show-environment') || rest.includes('export')
  if (runners.test(name)) return rest.some((word) => /^(\S*\/)?(env|printenv)$|\bshow environment\b/.test(word))
  if (hasMarks(name)) return /^(env|printenv)$/.test(name.replace(/[\uE000-\uE005]/g, ''))
  return isInterpreter({ name }) && rest.some(codeShowsEnvironment)
}

/** They run what they are given, here or elsewhere. */
const runners =
  /^(script|watch|ssh|su|runuser|unshare|chroot|strace|ltrace|docker|podman|kubectl|gdb|nsenter|setpriv|entr|tmux|screen|flock|systemd-run|taskset|chrt|numactl|firejail|bwrap|pkexec|xvfb-run|dbus-run-session|hyperfine|prlimit|choom|faketime|rlwrap|valgrind|direnv|dotenv)$/

/** A program's text that takes the environment as a whole; one variable of it is no matter. */
export const codeShowsEnvironment = (code) => takesEnvironment.some((pattern) => pattern.test(code))

const takesEnvironment = [
  // Node, Deno, Bun
  /\bprocess\s*\.\s*(report\b|env\b(?!\s*(\?\.|\.\s*[A-Za-z_]|\[\s*['"])))/,
  /\bprocess\s*\?\.\s*env\b(?!\s*(\?\.|\.|\[))/,
  /\bprocess\s*(\?\.\s*)?\[(?!\s*(['"])(?!env)\w+\2\s*\])/,
  /=\s*process\s*([;,\n]|$)/,
  /\{[^{}]{0,200}\benv\b[^{}]{0,200}\}\s*=\s*(process\b|(require|await\s+import)\(\s*["'](node:)?process)/,
  /(import|require)\(\s*["'](node:)?process/,
  /\bDeno\.env\.toObject|\bBun\.env\b(?![.[])/,
  // Python
  /\bos\.environb?\b(?!\s*(\.\s*get\b|\[\s*['"]))/,
  /\bfrom\s+os\s+import\b[^\n;]{0,200}\benvironb?\b|\bos\s+as\s[^]{0,500}\.environb?\b/,
  // PHP, Perl, awk, jq
  /\bgetenv\(\s*\)|\$_(ENV|SERVER)\b(?!\[)|\bphpinfo\s*\(/,
  /["'](env|printenv)["']\s*\|\s*getline|`\s*(env|printenv)\s*`/,
  /%ENV\b/,
  /\bENVIRON\b(?!\s*\[\s*")/,
  /\$ENV\b(?!\.\w)|^\s*env\s*(\||$)/,
  // Ruby
  /\bENV\b\s*\.\s*(to_|each|inspect|map|sort|select)|\bENV\s*$|\bp(uts|rint)?\s+ENV\b(?!\s*[[.])/,
  // A command that any of them runs
  /\b(exec|spawn|system|popen|call|run|check_output)\w*\b[^\n]{0,200}["'`[\s(](env|printenv)["'`\])]/,
]

/** `$(echo env)`: the output of one command is the name of another. */
export function runsPrinted(commands, nested) {
  const texts = nested.map((text) => text.replace(/["'\\]/g, ''))
  const isRun = (test) => commands.some(({ words }) => test(programOf(words)))
  if (isRun(({ name }) => hasMarks(name)) && texts.some((text) => /\b(env|printenv|set|export|declare)\b/.test(text)))
    return true
  return (
    texts.some((text) => /^\s*(echo|printf)\s.*\b(env|printenv|set|export( -p)?|declare( -\w+)?)\s*$/.test(text)) &&
    isRun((program) => (/^(eval|source|\.)$/.test(program.name) || isShell(program)) && program.rest.some(hasMarks))
  )
}

const settingSection = /(^|__)(SOURCES|DESTINATION|ALERTS|INBOX|WORKERS)__/
/** Names of settings that are no secrets. */
const isOpenSetting = (name) => /(BASE_URL|BUCKET_URL|HOST|PORT|DATABASE|DATASET|SCHEMA|REGION|USERNAME)$/.test(name)
export const isSecretVariable = (name) => settingSection.test(name.toUpperCase()) && !isOpenSetting(name.toUpperCase())

/** A real value in a command stays in histories and logs. What the simulators print may be set. */
export function readsVariable(command) {
  const { words, assigned } = command
  const given = [...assigned, ...words.map((word) => /^(\w+)=([^]*)$/.exec(word)?.slice(1) ?? [])]
  const isReal = given.some(([name, value]) => name !== undefined && isSecretValue(name) && !/simulated/.test(value))
  const prose = proseOf(programOf(words), command)
  const texts = [
    // A shell's own command sets variables, too.
    ...words
      .filter((word) => !prose.has(word))
      .map((word) => word.replace(/^\w+=/, '').replaceAll(/\b\w+=(?=["'\\]*simulated)/g, '')),
    ...given.map(([, value]) => value ?? ''),
  ]
  const isRead = texts.some((text) => (text.match(/\w+/g) ?? []).some(isSecretVariable))
  return isReal || isRead
}

const isSecretValue = (name) =>
  isSecretVariable(name) && /ALERTS__|INBOX__|WORKERS__|KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS|PIN$/.test(name)
