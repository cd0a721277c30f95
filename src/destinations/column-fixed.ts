/** The type of a column cannot be changed: a view, an index, a constraint or a generated column depends on it. */
export class ColumnFixed extends Error {
  readonly table: string
  readonly column: string

  constructor(table: string, column: string, cause: unknown) {
    super(`the type of ${table}.${column} cannot be changed: ${(cause as Error).message.split('\n')[0]}`, { cause })
    this.table = table
    this.column = column
  }
}
