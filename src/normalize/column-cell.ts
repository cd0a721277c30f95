import { inspect } from 'node:util'
import { excerpt, PipelineError } from '../errors/index.ts'
import {
  coerce,
  completeColumn,
  contractMode,
  decimalDigits,
  ExactNumber,
  finerThanMicroseconds,
  inferType,
  isScalarObject,
  NoStoredForm,
  plainJson,
  utcText,
  type Column,
  type DataType,
  type JsonLoss,
  type SchemaContract,
  type Table,
} from '../schema/index.ts'

/** Told to the run, so that nothing happens silently. */
export type Notice =
  | { kind: 'row-discarded' | 'value-discarded'; table: string; column?: string; entity: string }
  | { kind: 'timestamp-cut' | 'character-replaced'; table: string; column?: string }
  /** NaN, an infinity or an invalid date: there is no such value in the column. */
  | { kind: 'stored-as-null'; table: string; column: string }
  | { kind: 'column-widened'; table: string; column: string; from: DataType; to: DataType }
  | { kind: 'column-fixed'; table: string; column: string; type: DataType; variant: string }
  | { kind: 'keys-collide'; table: string; column: string; keptAs: string }
  /** A list whose table would have the name of one below another table. */
  | { kind: 'lists-collide'; table: string; parent: string; keptAs: string }
  | { kind: 'merge-without-key'; table: string }

/** A value that the schema contract refuses: what to drop. */
export const discardRow = Symbol('discard row')
export const discardValue = Symbol('discard value')
type Discard = typeof discardRow | typeof discardValue

/** How the table's contract answers, and where changes are told. */
export interface CellContext {
  table: Table
  contract: SchemaContract | undefined
  /** New tables take any column during their first load. */
  newTable: boolean
  notice(notice: Notice): void
  /** What a text of the destination holds. */
  textBytes: number
}

/** The place of a value: the column that takes it and its text there. */
export interface PlacedCell {
  column: Column
  text: string
}

/**
 * The text of a value in its column: coerced if it fits, the column widened if that loses nothing, else placed in
 * dlt's variant column `<column>__v_<type>`. `undefined` for values that are stored as null.
 */
export function placeValue(context: CellContext, column: Column, value: unknown): PlacedCell | Discard | undefined {
  const text = cellText(context, column, value)
  if (text !== undefined) return { column, text }
  const inferred = inferType(value)
  if (inferred === undefined) {
    storeNull(context, column.name, value)
    return undefined
  }
  const refused = refuse(context, 'data_type', `${column.name}__v_${inferred}`, value)
  if (refused !== undefined) return refused
  const wider = widerType(column, inferred, value)
  if (wider !== undefined) {
    context.notice({
      kind: 'column-widened',
      table: context.table.name,
      column: column.name,
      from: column.dataType!,
      to: wider,
    })
    column.dataType = wider
    return { column, text: cellText(context, column, value)! }
  }
  return placeVariant(context, column, value, inferred)
}

/** Reports a value that has no type: NaN, an infinity, an invalid date. Throws for functions and symbols. */
export function storeNull({ table, notice }: CellContext, column: string, value: unknown): void {
  if (typeof value === 'function' || typeof value === 'symbol') throw new NoStoredForm(value)
  notice({ kind: 'stored-as-null', table: table.name, column })
}

function placeVariant(context: CellContext, column: Column, value: unknown, inferred: DataType): PlacedCell {
  const name = `${column.name}__v_${inferred}`
  const existing = context.table.columns.get(name)
  const variant =
    existing?.dataType === undefined
      ? completeColumn(context.table, { name, dataType: inferred, nullable: true, variant: true })
      : existing
  const text = cellText(context, variant, value)
  if (text !== undefined) return { column: variant, text }
  // The data has a key of that name, with values of another type.
  if (variant.dataType !== inferred) return placeVariant(context, variant, value, inferred)
  // A decimal variant can overflow as well; its text is then kept as it came.
  return placeVariant(context, column, String(value), 'text')
}

/** The text of a value if the column takes it as it is. */
export function cellText(context: CellContext, column: Column, value: unknown): string | undefined {
  const text = isJson(column, value) ? jsonText(context, column, value) : coerce(value, column.dataType!)
  if (text === undefined) return undefined
  // A character has three bytes at most for each of its units.
  if (3 * text.length > context.textBytes) refuseLong(context, column, text)
  switch (column.dataType) {
    case 'text':
      if (column.precision !== undefined && text.length > column.precision) refuseBeyond(context, column, text)
      return text
    case 'bigint':
      return wholeNumber(column, text)
    case 'wei':
      return text.length <= 38 ? text : undefined
    case 'decimal':
      return decimalCell(column, text)
    case 'time':
      if (text.length === 15) reportCut(context, column, value)
      return text
    case 'timestamp':
      if (mayBeFine(value)) reportCut(context, column, value)
      return column.timezone === false ? utcText(text) : text
    default:
      return text
  }
}

/** Values that are kept as JSON, in a text column too. */
const isJson = ({ dataType }: Column, value: unknown): boolean =>
  dataType === 'json' || (dataType === 'text' && typeof value === 'object' && value !== null && !isScalarObject(value))

function jsonText({ table, notice }: CellContext, column: Column, value: unknown): string {
  const lost: JsonLoss[] = []
  try {
    const text = plainJson(value, lost)
    for (const loss of lost) {
      const kind = loss === 'value' ? 'stored-as-null' : 'character-replaced'
      notice({ kind, table: table.name, column: column.name })
    }
    return text
  } catch (error) {
    if (!(error instanceof PipelineError) || error instanceof NoStoredForm) throw error
    const { code, fix } = error
    const name = excerpt(column.name, 80)
    throw new PipelineError(`column "${name}" of table "${table.name}": ${error.summary}`, { code, fix })
  }
}

/** Nearly all timestamps are ISO text of at most 26 characters, which holds no more than microseconds. */
const mayBeFine = (value: unknown): boolean =>
  typeof value === 'string' ? value.length > 26 || value.charCodeAt(4) !== 45 : !(value instanceof Date)

function reportCut({ table, notice }: CellContext, column: Column, value: unknown): void {
  if (finerThanMicroseconds(String(value))) notice({ kind: 'timestamp-cut', table: table.name, column: column.name })
}

function wholeNumber(column: Column, text: string): string | undefined {
  if (text.length < 16) return text
  const value = BigInt(text)
  if (value < -(2n ** 63n) || value >= 2n ** 63n) return undefined
  column.beyondDouble ||= value > 2n ** 53n || value < -(2n ** 53n)
  return text
}

const decimalScale = 9

/** Raises the scale of a decimal that was not declared; 38 digits in all are the limit. */
function decimalCell(column: Column, text: string): string | undefined {
  const { integer, fraction } = decimalDigits(text)
  if (column.precision !== undefined) {
    const scale = column.scale ?? 0
    return fraction <= scale && integer <= column.precision - scale ? text : undefined
  }
  if (column.fixedType === true)
    return fraction <= (column.scale ?? decimalScale) && integer <= 38 - (column.scale ?? decimalScale)
      ? text
      : undefined
  const integerDigits = Math.max(column.integerDigits ?? 0, integer)
  const scale = Math.max(column.scale ?? decimalScale, fraction)
  if (integerDigits + scale > 38) return undefined
  column.integerDigits = integerDigits
  if (scale > decimalScale) column.scale = scale
  return text
}

/** The type that holds both what the column has and the new value exactly, if there is one. */
function widerType(column: Column, inferred: DataType, value: unknown): DataType | undefined {
  if (column.variant === true || column.fixedType === true) return undefined
  switch (column.dataType) {
    case 'bigint':
      if (inferred === 'wei') return 'wei'
      return inferred === 'double' && column.beyondDouble !== true && !isKey(column) ? 'double' : undefined
    case 'date':
      return inferred === 'timestamp' && !(value instanceof ExactNumber) ? 'timestamp' : undefined
    default:
      return undefined
  }
}

const isKey = (column: Column): boolean => column.primaryKey === true || column.mergeKey === true

/** Asks the contract about a change of the table; throws for `freeze`. */
export function refuse(
  context: CellContext,
  entity: 'columns' | 'data_type',
  column: string,
  value: unknown,
): Discard | undefined {
  const mode = contractMode(context.contract, entity)
  if (mode === 'evolve' || (entity === 'columns' && context.newTable)) return undefined
  if (mode === 'freeze') throw violation(context.table.name, entity, column, value)
  const kind = mode === 'discard_row' ? 'row-discarded' : 'value-discarded'
  context.notice({ kind, table: context.table.name, column, entity })
  return mode === 'discard_row' ? discardRow : discardValue
}

export function violation(table: string, entity: string, column: string | undefined, value: unknown): PipelineError {
  const where = column === undefined ? `table "${table}"` : `column "${column}" of table "${table}"`
  return new PipelineError(`the schema contract freezes ${entity}, but the data brings ${where} (${sample(value)})`, {
    code: 'CONTRACT_VIOLATED',
    fix: `allow it with schemaContract { ${entity === 'data_type' ? 'dataType' : entity}: 'evolve' }, or discard it with 'discard_value'`,
  })
}

/** Databases count characters, which are one or two units of a string. */
function refuseBeyond({ table }: CellContext, { name, precision }: Column, text: string): void {
  const characters = [...text].length
  if (characters <= precision!) return
  throw new PipelineError(
    `column "${name}" of table "${table.name}" takes ${precision} characters, got ${characters} (${sample(text)})`,
    { code: 'VALUE_NOT_STORABLE', fix: `raise the precision of the column hint, or remove it` },
  )
}

function refuseLong({ table, textBytes }: CellContext, { name }: Column, text: string): void {
  const bytes = Buffer.byteLength(text)
  if (bytes <= textBytes) return
  throw new PipelineError(
    `column "${name}" of table "${table.name}": the destination takes ${textBytes.toLocaleString('en')} bytes, got ${bytes.toLocaleString('en')} (${sample(text)})`,
    { code: 'VALUE_NOT_STORABLE', fix: 'cut it, take it apart or leave it out with .map()' },
  )
}

/** The beginning of a value, for messages. */
export function sample(value: unknown): string {
  const isObject = typeof value === 'object' && value !== null
  const text = isObject ? inspect(value, { depth: 2, breakLength: Infinity, compact: true }) : scalarSample(value)
  return excerpt(text.replaceAll(/\s+/g, ' '), 60)
}

const scalarSample = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : String(value))
