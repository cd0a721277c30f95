import type { SqlValue } from '../destination.ts'

/** A query with the values of its places `@p1`, `@p2`, …. */
export interface Query {
  query: string
  params: Record<string, SqlValue>
  types: Record<string, string>
}

const typeOf = (value: SqlValue): string =>
  typeof value === 'boolean'
    ? 'BOOL'
    : typeof value === 'string' || value === null
      ? 'STRING'
      : Number.isInteger(value)
        ? 'INT64'
        : 'FLOAT64'

/** A statement with `$1`, `$2`, … as BigQuery writes it; `first` is the number of its first value. */
export function asQuery(sql: string, values: readonly SqlValue[] = [], first = 1): Query {
  const name = (at: number): string => `p${first + at}`
  return {
    query: values.length === 0 ? sql : sql.replace(/\$(\d+)/g, (_, place: string) => `@${name(Number(place) - 1)}`),
    params: Object.fromEntries(values.map((value, at) => [name(at), value])),
    types: Object.fromEntries(values.map((value, at) => [name(at), typeOf(value)])),
  }
}

/**
 * The statements of a transaction, gathered to be sent as one script: BigQuery then does all of them or none, whatever
 * becomes of this process, and no transaction stays open behind it.
 */
export class Script {
  private readonly statements: string[] = []
  private readonly refusals: Error[] = []
  private params: Query['params'] = {}
  private types: Query['types'] = {}

  add(sql: string, values: readonly SqlValue[] = []): void {
    const { query, params, types } = asQuery(sql, values, Object.keys(this.params).length + 1)
    this.statements.push(query)
    this.params = { ...this.params, ...params }
    this.types = { ...this.types, ...types }
  }

  /** Ends the transaction with an error when the query finds a row. */
  refuseIf(query: string, values: readonly SqlValue[], refusal: Error): void {
    this.refusals.push(refusal)
    this.add(failIf(`EXISTS (${query})`, this.refusals.length), values)
  }

  /** What the script was ended with by one of its refusals. */
  refusalIn(message: string): Error | undefined {
    const match = /sluice refusal (\d+)/.exec(message)
    return match === null ? undefined : this.refusals[Number(match[1]) - 1]
  }

  /** The whole, to be done. */
  commit(): Query {
    return this.asOne(['BEGIN TRANSACTION', ...this.statements, 'COMMIT TRANSACTION'])
  }

  /** All that was done so far and then a query, of which only the answer remains: the column `answer`, as JSON. */
  rehearse(sql: string, values: readonly SqlValue[] = []): Query {
    const rehearsal = new Script()
    rehearsal.statements.push(...this.statements)
    rehearsal.params = { ...this.params }
    rehearsal.types = { ...this.types }
    rehearsal.add(`SET answer = ${answerOf(sql)}`, values)
    const { statements } = rehearsal
    return rehearsal.asOne([
      'DECLARE answer STRING',
      'BEGIN TRANSACTION',
      ...statements,
      'ROLLBACK TRANSACTION',
      'SELECT answer',
    ])
  }

  /** What a rehearsal has shown must still be so when it counts. */
  expect(sql: string, values: readonly SqlValue[], answer: string, refusal: Error): void {
    this.refusals.push(refusal)
    const places = [...values, answer]
    this.add(failIf(`${answerOf(sql)} != $${places.length}`, this.refusals.length), places)
  }

  private asOne(statements: readonly string[]): Query {
    return { query: `${statements.join(';\n')};`, params: this.params, types: this.types }
  }
}

const failIf = (condition: string, refusal: number): string =>
  `SELECT IF(${condition}, ERROR('sluice refusal ${refusal}'), 'well')`

const answerOf = (sql: string): string =>
  `(SELECT TO_JSON_STRING(ARRAY_AGG(_sluice_found)) FROM (${sql}) AS _sluice_found)`
