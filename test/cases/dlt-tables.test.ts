import { describe, expect, it } from 'vitest'
import {
  contentId,
  keyId,
  namingConvention,
  namingNames,
  nestedRowId,
  type NamingName,
} from '../../src/schema/index.ts'
import { parseJson } from '../../src/extract/index.ts'
import {
  caseFile,
  readTables,
  runBatch,
  runStep,
  stepsOf,
  type Column,
  type DlTCase,
  type TableState,
} from './dlt-case.ts'
import { engineNames, emptyTarget } from '../support/destinations.ts'
import { differences } from './same-rows.ts'
import { tiered } from '../support/effort.ts'

describe('naming as dlt does it', () => {
  it.each(namingNames)('%s', (name: NamingName) => {
    const naming = namingConvention(name, 63)
    const got = caseFile.naming.map((one) => [one.in, naming.identifier(one.in!)])
    expect(got).toEqual(caseFile.naming.map((one) => [one.in, one[name]]))
    const paths = caseFile.paths.map((one) => [one.in, naming.path(one.in!)])
    expect(paths).toEqual(caseFile.paths.map((one) => [one.in, one[name]]))
  })

  it('shortens long identifiers', () => {
    for (const { max, in: given, out } of caseFile.shorten_snake_case) {
      expect(namingConvention('snake_case', max).path(given)).toBe(out)
    }
  })
})

describe('row ids as dlt makes them', () => {
  it.each(caseFile.hash_vectors.filter(({ kind }) => kind !== 'nested id'))('$kind $input', ({ kind, input, id }) => {
    const row = parseJson(input) as Record<string, unknown>
    expect(kind === 'key hash' ? keyId(row) : contentId(row)).toBe(id)
  })

  it('nested rows', () => {
    expect(nestedRowId('jEXQRbJE06voSA', 'dim_test__c2', 0)).toBe('fnGe0kXmwR/ncw')
    expect(nestedRowId('1lTG9bYo5ZjIzA', 'dim_test__c2', 0)).toBe('sjy4J8zAS+i32w')
  })
})

/** Cases that Sluice answers differently on purpose, with what it does instead; `docs/dlt-differences.md` says why. */
const different: Record<string, (tables: Record<string, TableState>) => void> = {
  C09({ m }) {
    expect(m!.rows).toMatchObject([{ id: 1, name: 'y', name_azjilq: 'x' }])
  },
  D07({ t }) {
    expect(t!.columns!.map((column) => `${column.name} ${column.data_type}`)).toContain('a double')
    expect(t!.rows.map((row) => row.a)).toEqual([1, 1.5])
  },
  F21({ t__l }) {
    expect(t__l!.rows.map((row) => row.value)).toEqual([1, 4])
  },
  G07({ t }) {
    expect(t!.rows).toMatchObject([{ id: 1, v: 'a' }])
  },
  D23({ t }) {
    expect(t!.rows).toMatchObject([{ a: '9223372036854775808' }])
  },
}

/** Cases about what only Python has. */
const notOurs: Record<string, string> = {
  E25: 'pydantic models as column hints',
  E27: 'pydantic models as validators',
}

function tablesOf(state: DlTCase['expected'][number]): Map<string, Record<string, unknown>[]> {
  return new Map(Object.entries(state.tables ?? {}).map(([name, table]) => [name, table.rows]))
}

async function checkState({ target, dataset }: CaseTarget, state: DlTCase['expected'][number]): Promise<void> {
  const tables = await readTables(target, dataset)
  expect(Object.keys(tables).sort()).toEqual(Object.keys(state.tables ?? {}).sort())
  for (const [name, { columns }] of Object.entries(state.tables ?? {})) {
    if (!columns) continue
    expect({ [name]: tables[name]!.columns }).toEqual({
      [name]: columns
        .map((column) => ({ ...column, hints: { ...defaultHints[column.name], ...hintsHere(column.hints) } }))
        .map(({ name, data_type, nullable, hints }) => ({ name, data_type, nullable, hints })),
    })
  }
  const actual = new Map(Object.entries(tables).map(([name, table]) => [name, table.rows]))
  expect(differences(tablesOf(state), actual), JSON.stringify(tables, null, 1)).toBeUndefined()
}

// The case file leaves dlt's standard hints out.
const defaultHints: Record<string, object> = {
  _dlt_id: { unique: true, row_key: true },
  _dlt_parent_id: { parent_key: true },
  _dlt_root_id: { root_key: true },
}

/** The hints without the description that dlt gives to variant columns. */
function hintsHere(hints: Column['hints'] | undefined): Column['hints'] {
  const { description, ...others } = hints ?? {}
  return others.variant === true || description === undefined ? others : { ...others, description }
}

type CaseTarget = Awaited<ReturnType<typeof emptyTarget>>

// `test/faults/faults.json` names them: always in the quick tier.
const always = new Set(['E18', 'F11', 'G01'])

/** So many pairs of a case and a destination in the quick tier, and as many as there are cases in the second one. */
function drawn(cases: readonly DlTCase[], quick: number) {
  const pairs = engineNames.flatMap((destination) => cases.map((given) => ({ destination, given })))
  const isAlways = ({ destination, given }: (typeof pairs)[number]): boolean =>
    destination === engineNames[0] && always.has(given.id)
  const others = pairs.filter((pair) => !isAlways(pair))
  return [...tiered(pairs.filter(isAlways), always.size), ...tiered(others, quick, 0, cases.length)]
}

describe('tables as dlt lays them out', () => {
  const tableCases = caseFile.cases.filter((one) => one.batches === undefined && !(one.id in notOurs))
  for (const [{ destination, given }, options] of drawn(tableCases, 14)) {
    it(`${given.id} ${given.title}, in ${destination}`, options, async () => {
      const series = stepsOf(given)!
      for (const [at, steps] of series.entries()) {
        const into = await emptyTarget(destination, { pipeline: `case_${given.id.toLowerCase()}` })
        const { target, dataset } = into
        const states = series.length > 1 ? [given.expected[at]!] : given.expected
        const fails = states.some((state) => (state.raises ?? []).length > 0) && !(given.id in different)
        const isEach = states.length === steps.length && !fails && !(given.id in different)
        for (const [index, step] of steps.entries()) {
          const run = runStep(target, step)
          if (fails && index === steps.length - 1) await expect(run).rejects.toThrow()
          else await run
          if (isEach) await checkState(into, states[index]!)
        }
        if (given.id in different) different[given.id]!(await readTables(target, dataset))
        else if (!isEach && (!fails || states.length > 1)) await checkState(into, states.at(-1)!)
      }
    })
  }

  it('says which cases are not ours', () => {
    const ids = caseFile.cases.map((one) => one.id)
    for (const id of [...Object.keys(different), ...Object.keys(notOurs)]) expect(ids).toContain(id)
  })
})

interface BatchState {
  error?: string
  seen: Record<string, string | null>
  loaded_rows: number
  table_after: Record<string, unknown>[]
  state?: Record<string, { initial_value: string; last_value: string; unique_hashes: number; start_value: string }>
}

describe('incremental as dlt does it', () => {
  const batchCases = caseFile.cases.filter((one) => one.batches !== undefined)
  for (const [{ destination, given }, options] of drawn(batchCases, 4)) {
    it(`${given.id} ${given.title}, in ${destination}`, options, async () => {
      const { target, dataset } = await emptyTarget(destination, { pipeline: `case_${given.id.toLowerCase()}` })
      for (const [index, batch] of given.batches!.entries()) {
        const expected = given.expected[index] as unknown as BatchState
        if (expected.error !== undefined) {
          await expect(runBatch(target, given, batch)).rejects.toThrow()
          return
        }
        const { seen, loaded, state } = await runBatch(target, given, batch)
        expect(seen).toEqual(expected.seen)
        expect(loaded).toBe(expected.loaded_rows)
        const { t } = await readTables(target, dataset)
        const own = new Map([['t', t!.rows]])
        expect(differences(new Map([['t', expected.table_after]]), own), JSON.stringify(t!.rows)).toBeUndefined()
        if (expected.state === undefined) {
          expect(state).toBeUndefined()
          continue
        }
        const [kept] = Object.values(expected.state)
        const python = (value: unknown): string => (value === null || value === undefined ? 'None' : String(value))
        expect({ ...state, unique_hashes: state!.unique_hashes.length }).toMatchObject({
          unique_hashes: kept!.unique_hashes,
        })
        expect(python(state!.last_value)).toBe(kept!.last_value)
        expect(python(state!.initial_value)).toBe(kept!.initial_value)
      }
    })
  }
})
