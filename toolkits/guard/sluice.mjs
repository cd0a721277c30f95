// Commands of Sluice that only a person runs.
import { any } from './shell.mjs'

export function refusedSluice({ name, rest, isFed }) {
  const words = [name, ...rest]
  if (words.some((word) => word.startsWith('--allow-run')))
    return 'the command lets assistants run pipelines, which only a person does'
  // `npx -p sluice sluice …` names the package before the program.
  for (const [at, word] of words.entries()) {
    if (!/(^|\/)sluice(@[\w.-]+)?$|cli\/main\.[jt]s$/.test(word)) continue
    const said = words.slice(at + 1).filter((one) => !one.startsWith('-'))
    const reason = refusedWords(said.join(' '), isFed)
    if (reason !== undefined) return reason
  }
  return undefined
}

function refusedWords(said, isFed) {
  if ((isFed && /^(ai|secrets|ai secrets)?$/.test(said)) || said.startsWith(any))
    return 'the command of Sluice is not known before it runs: write it out'
  if (/^ai\b.*(\buninstall\b|\uE000)/.test(said)) return 'the command takes the guard out, which only a person does'
  if (/\bfailed-(packages|jobs)\b.*\bdiscard\b|\bfailed-(packages|jobs) \uE000/.test(said))
    return 'the command deletes rows that were set aside, which only a person does'
  // The value of an option may come first.
  const [, about] = /(?:^|\s)secrets (.*)/.exec(said) ?? []
  if (about !== undefined && !/^(list|check)\b/.test(about) && /\b(set|allow)\b|\uE000/.test(about))
    return 'the command sets or allows secrets, which only a person does'
  return undefined
}
