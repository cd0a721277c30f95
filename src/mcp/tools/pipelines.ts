import { z } from 'zod'
import { listPipelines } from '../../index.ts'
import { look, pipelineName, runSummaryShape, summaryOf } from '../pipeline-input.ts'
import { tool } from '../tool.ts'

const summary = z.object({
  name: z.string(),
  destination: z.string(),
  dataset: z.string(),
  location: z.string(),
  last_run: runSummaryShape.optional(),
})

export const listPipelinesTool = tool({
  name: 'list_pipelines',
  title: 'Pipelines',
  description: 'Names the pipelines that have run on this machine, where they load to, and how their last run ended.',
  input: z.object({}),
  output: z.object({ pipelines: z.array(summary) }),
  effect: 'look',
  run: () => ({
    pipelines: listPipelines().map((one) => {
      const [last] = look(one.name).runs(1)
      return { ...one, ...(last === undefined ? {} : { last_run: summaryOf(last) }) }
    }),
  }),
})

export const pipelineStateTool = tool({
  name: 'get_pipeline_state',
  title: 'State of a pipeline',
  description: 'What the sources of a pipeline remember between runs: cursors, and state of their own.',
  input: z.object({ pipeline_name: pipelineName }),
  output: z.object({ state: z.record(z.string(), z.unknown()) }),
  effect: 'look',
  holdsData: true,
  run: async ({ pipeline_name: name }) => ({
    state: { ...(await look(name).state()) },
  }),
})
