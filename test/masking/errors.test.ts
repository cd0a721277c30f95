import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { addSecret, PipelineError } from '../../src/errors/index.ts'

it('an error shows no secret of its causes, however it is printed', () => {
  addSecret('sk-cause-0123456789')
  const inner = Object.assign(new Error('bad key sk-cause-0123456789'), {
    detail: 'Key (k)=(sk-cause-0123456789)',
    status: 4,
  })
  const several = new AggregateError([new Error('https://me:planted-word@api.test')], 'two', { cause: inner })
  const frozen = Object.freeze(new Error('fine'))
  const error = new PipelineError('it failed', {
    code: 'LOAD_FAILED',
    fix: 'none',
    cause: new Error('outer', { cause: several }),
  })
  expect(() => new PipelineError('x', { code: 'LOAD_FAILED', fix: 'none', cause: frozen })).not.toThrow()
  for (const text of [inspect(error, { depth: 9 }), String(inner.stack), inspect(several, { depth: 9 })]) {
    expect(text).not.toContain('sk-cause')
    expect(text).not.toContain('planted-word')
  }
  expect(inner).toMatchObject({ message: 'bad key ***', detail: 'Key (k)=(***)', status: 4 })
})
