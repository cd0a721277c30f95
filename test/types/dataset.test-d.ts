// Compiled, not run: what must not compile stands below a comment that says so, and is an error itself when it does.
import { expectTypeOf } from 'vitest'
import { pipeline } from '../../src/index.ts'

type Integer = number | string
interface Tables {
  issues: { id: Integer; title: string | null; state: string; _dlt_id: string }
  issues__labels: { name: string; _dlt_parent_id: string }
}
const data = pipeline({ name: 'p' }).dataset<Tables>()

expectTypeOf(data.table('issues').toArray()).resolves.items.toEqualTypeOf<Tables['issues']>()
expectTypeOf(data.table('issues').select('id', 'title').toArray()).resolves.items.toEqualTypeOf<
  Pick<Tables['issues'], 'id' | 'title'>
>()
expectTypeOf(
  data.table('issues').join('issues__labels', { label: 'name' }).select('id', 'label').toArray(),
).resolves.items.toEqualTypeOf<{ id: Integer; label: string }>()
expectTypeOf(
  data
    .table('issues')
    .aggregate({ n: ['count'], last: ['max', 'title'], sum: ['sum', 'id'] }, 'state')
    .toArray(),
).resolves.items.toEqualTypeOf<{ state: string; n: number; last: string | null; sum: number | string | null }>()

// @ts-expect-error no such table
data.table('isues')
// @ts-expect-error no such column
data.table('issues').select('titel')
// @ts-expect-error no such column any more
data.table('issues').select('id').where('title', '=', 'x')
// @ts-expect-error no such column in the other table
data.table('issues').join('issues__labels', { label: 'nam' })
// @ts-expect-error `is null` compares with nothing
data.table('issues').where('title', 'is null', 1)
// @ts-expect-error `in` takes a list
data.table('issues').where('title', 'in', 'x')

const untyped = pipeline({ name: 'p' }).dataset()
expectTypeOf(untyped.table('anything').toArray()).resolves.items.toEqualTypeOf<Record<string, unknown>>()
expectTypeOf(untyped.table<{ id: number }>('anything').select('id').toArray()).resolves.items.toEqualTypeOf<{
  id: number
}>()
