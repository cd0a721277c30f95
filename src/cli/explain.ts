import type { Pipeline } from '../index.ts'
import { explainRun, type RunFinding } from '../workbench/explain-run.ts'
import { printJson } from './command.ts'
import { foundRun } from './run-history.ts'
import { clean, style, wrap } from './style.ts'

/** `sluice pipeline x explain [run]` */
export async function explain(pipeline: Pipeline, [id]: readonly string[], json: boolean): Promise<void> {
  const run = foundRun(pipeline, id)
  const findings = explainRun(run, pipeline.requests(run.id))
  if (json) return printJson({ run: run.id, status: run.status, findings })
  console.log(`${style.strong(`run ${run.id}`)}: ${run.status}`)
  if (findings.length === 0) console.log(run.status === 'running' ? 'it still goes on' : 'nothing looks wrong')
  for (const one of findings) console.log(`\n${findingText(one)}`)
}

function findingText({ classification, what, evidence, fix, nextCommand, needsPerson }: RunFinding): string {
  const lines = (text: string): string[] => wrap(clean(text, 600), 76).map((line) => `  ${line}`)
  return [
    style.failed(classification.replaceAll('_', ' ')),
    ...lines(what),
    ...evidence.flatMap(({ source, excerpt }) => lines(`${source}: ${excerpt}`).map(style.faint)),
    ...lines(`fix: ${fix}`),
    ...(needsPerson ? ['  a person has to do this'] : []),
    ...(nextCommand === undefined ? [] : [`  next: ${nextCommand}`]),
  ].join('\n')
}
