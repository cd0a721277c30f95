import { rmSync } from 'node:fs'
import { PipelineError } from '../errors/index.ts'
import {
  completeColumn,
  ExactNumber,
  identifierTag,
  inference,
  type Inference,
  inferType,
  plainJson,
  type Column,
  type NamingConvention,
  type Schema,
  type Table,
} from '../schema/index.ts'
import { cellText, discardRow, discardValue, placeValue, refuse, sample, type Notice } from './column-cell.ts'
import { DelimitedWriter, type TableFile } from './delimited.ts'
import { linkRow, ownColumns } from './links.ts'
import type { RowTarget } from './table-hints.ts'
import {
  cellIndex,
  deepestNesting,
  newLevel,
  rawValue,
  tooManyKeys,
  type Level,
  type Slot,
  type TableWalker,
} from './table-walker.ts'
import { Walkers } from './walkers.ts'

/**
 * Rows become lines of delimited text, one file a table: naming, types, child tables and ids in one walk over each
 * record. The schema it is given grows while rows pass.
 */
export class Normalizer {
  readonly schema: Schema
  private readonly naming: NamingConvention
  private readonly notice: (notice: Notice) => void
  private readonly infer: Inference
  private readonly newWriter: (table: string, columns: readonly string[]) => DelimitedWriter
  private readonly walkers: Walkers

  constructor(
    schema: Schema,
    naming: NamingConvention,
    nextPath: (table: string) => string,
    notice: (notice: Notice) => void,
    options: { infer?: Inference; takesNul?: boolean; fileBytes?: number } = {},
  ) {
    this.schema = schema
    this.naming = naming
    this.notice = notice
    this.infer = options.infer ?? inference({})
    const delimited = { takesNul: options.takesNul ?? true, fileBytes: options.fileBytes ?? Infinity }
    this.newWriter = (table, columns) => new DelimitedWriter(table, columns, nextPath, delimited)
    this.walkers = new Walkers(schema, naming, this.newWriter, notice)
  }

  /** Writes rows. Lists among them are taken apart, null is skipped, scalars become the column `value`. */
  write(target: RowTarget, rows: readonly unknown[]): void {
    const walker = this.walkers.root(target)
    if (walker.discarded) {
      for (const row of rows.flat(Infinity)) {
        this.notice({ kind: 'row-discarded', table: walker.table.name, entity: 'tables' })
        if (walker.quarantine !== undefined) this.quarantine(walker.quarantine, walker.table.name, 'tables', row)
      }
      return
    }
    for (const row of rows) {
      if (Array.isArray(row)) this.write(target, row)
      else if (row !== null && row !== undefined) this.writeRow(walker, row, '', '', 0)
    }
  }

  /** Keeps a row of a target that may not be loaded, when the target has a quarantine. */
  setAside(target: RowTarget, reason: string, row: unknown): void {
    const walker = this.walkers.root(target)
    if (walker.quarantine !== undefined) this.quarantine(walker.quarantine, walker.table.name, reason, row)
  }

  /** Keeps a row that may not be loaded: where it would have gone, why not, and all of it. */
  private quarantine(target: RowTarget, table: string, reason: string, row: unknown): void {
    this.write(target, [{ table_name: table, reason, row, quarantined_at: new Date() }])
  }

  /** Creates the table of a target, with its hinted columns, before any row came. */
  declare(target: RowTarget): Table {
    return this.walkers.root(target).table
  }

  /** Bytes written and waiting, all tables together. */
  get bytes(): number {
    let bytes = 0
    for (const { writer } of this.walkers.all()) bytes += writer.bytes
    return bytes
  }

  /** Files of the given tables that are complete although rows still come, each told once. */
  takeCompleteFiles(belongs: (table: Table) => boolean): TableFile[] {
    return [...this.walkers.all()].flatMap(({ table, writer }) => (belongs(table) ? writer.takeComplete() : []))
  }

  hasRows(belongs: (table: Table) => boolean): boolean {
    for (const { table, writer } of this.walkers.all()) if (writer.rows > 0 && belongs(table)) return true
    return false
  }

  /** Ends the files of the given tables and returns them; their rows go into the next package from here on. */
  takeFiles(tables: ReadonlySet<string>): { table: string; files: ReturnType<DelimitedWriter['finish']> }[] {
    const taken = []
    for (const walker of this.walkers.all()) {
      if (!tables.has(walker.table.name) || walker.writer.rows === 0) continue
      const files = walker.writer.finish()
      if (walker.writer.replacedCharacters) this.notice({ kind: 'character-replaced', table: walker.table.name })
      walker.writer = this.newWriter(walker.table.name, walker.columnNames)
      walker.usedIds?.clear()
      taken.push({ table: walker.table.name, files })
    }
    return taken
  }

  /** Forgets the rows of the given tables; their files are never packaged. */
  dropRows(tables: ReadonlySet<string>): void {
    for (const { files } of this.takeFiles(tables)) for (const { path } of files) rmSync(path, { force: true })
  }

  /** Writes one row and, after it, the rows of its lists. */
  private writeRow(walker: TableWalker, row: unknown, parentId: string, rootId: string, listIndex: number): void {
    const fits = isDocument(row) ? this.walkObject(walker, row) : this.setValue(walker, this.valueSlot(walker), row)
    if (!fits) {
      clearRow(walker)
      if (walker.quarantine !== undefined) this.quarantine(walker.quarantine, walker.table.name, walker.refused, row)
      return
    }
    const id = linkRow(walker, row, parentId, rootId, listIndex)
    for (const name of walker.required) {
      if (cellOf(walker, name) !== undefined) continue
      if (!asksForDeletion(walker) || walker.tombstone!.key.includes(name)) throw nullNotAllowed(walker, name, row)
    }
    writeLine(walker)
    if (walker.pendingLists.length > 0) this.writeLists(walker, id, rootId === '' ? id : rootId)
  }

  private writeLists(walker: TableWalker, id: string, rootId: string): void {
    const { pendingLists, pendingListSlots } = walker
    for (let at = 0; at < pendingLists.length; at++) {
      const slot = pendingListSlots[at]!
      const nested = (slot.nested ??= this.walkers.nested(walker, slot))
      this.writeList(nested, pendingLists[at]!, id, rootId)
    }
    pendingLists.length = 0
    pendingListSlots.length = 0
  }

  private writeList(nested: TableWalker, list: readonly unknown[], parentId: string, rootId: string): void {
    if (nested.discarded) {
      this.notice({ kind: 'row-discarded', table: nested.table.name, entity: 'tables' })
      return
    }
    for (let index = 0; index < list.length; index++) {
      const item = list[index]
      const slot = Array.isArray(item) ? this.listSlot(nested) : undefined
      if (slot === undefined || this.keptWhole(nested, slot)) {
        this.writeRow(nested, item, parentId, rootId, index)
        continue
      }
      // A list in a list: a row that only links, with the inner list as its table `…__list`.
      const linkId = linkRow(nested, undefined, parentId, rootId, index)
      writeLine(nested)
      const inner = (slot.nested ??= this.walkers.nested(nested, slot))
      this.writeList(inner, item as unknown[], linkId, rootId)
    }
  }

  /** Fills the cells of a row from an object; false when the contract discards the row. */
  private walkObject(walker: TableWalker, row: object): boolean {
    const { pendingObjects, pendingLevels } = walker
    pendingObjects.push(row)
    pendingLevels.push(walker.top)
    let kept = true
    while (pendingObjects.length > 0) {
      const object = pendingObjects.pop() as Record<string, unknown>
      const level = pendingLevels.pop()!
      for (const key in object) {
        const value = object[key]
        if (value === null || value === undefined) continue
        const slot = level.slots.get(key) ?? this.slot(walker, level, key)
        if (typeof value !== 'object') kept = this.setValue(walker, slot, value, row) && kept
        else kept = this.takeApart(walker, slot, value, row) && kept
      }
    }
    return kept
  }

  /** Objects become prefixed columns, lists become tables, unless they are to be kept whole. */
  private takeApart(walker: TableWalker, slot: Slot, value: object, row: object): boolean {
    const isList = Array.isArray(value)
    if ((!isList && !isDocument(value)) || this.keptWhole(walker, slot)) {
      return this.setValue(walker, slot, value, row)
    }
    if (isList) {
      if (value.length > 0) {
        walker.pendingLists.push(value)
        walker.pendingListSlots.push(slot)
      }
      return true
    }
    if (slot.level > deepestNesting) throw tooDeep(walker)
    slot.below ??= newLevel(slot, slot.level)
    walker.pendingObjects.push(value)
    walker.pendingLevels.push(slot.below)
    return true
  }

  private keptWhole(walker: TableWalker, slot: Slot): boolean {
    return slot.level > walker.maxNesting || walker.table.columns.get(slot.name)?.dataType === 'json'
  }

  private slot(walker: TableWalker, level: Level, key: string): Slot {
    const own = this.naming.path(key)
    const path = level.slot === undefined ? own : this.naming.unshortened(level.slot.path, own)
    const slot: Slot = {
      key,
      name: this.naming.join(path),
      path,
      level: level.depth + 1,
      parent: level,
      column: undefined,
      columnIndex: -1,
      below: undefined,
      nested: undefined,
    }
    level.slots.set(key, slot)
    return slot
  }

  private listSlot(walker: TableWalker): Slot {
    return walker.top.slots.get('list') ?? this.slot(walker, walker.top, 'list')
  }

  private valueSlot(walker: TableWalker): Slot {
    return walker.top.slots.get('value') ?? this.slot(walker, walker.top, 'value')
  }

  /** Puts a scalar, or a value that is kept whole, into its cell; false when the row is to be discarded. */
  private setValue(walker: TableWalker, slot: Slot, value: unknown, row?: object): boolean {
    if (value === null || value === undefined) return true
    const column = slot.column ?? this.bindColumn(walker, slot, value)
    if (column === undefined) return true
    if (column === discardRow || column === discardValue) {
      walker.refused = `columns: ${slot.name}`
      return column === discardValue
    }
    const text = cellText(walker, column, value)
    if (text === undefined) return this.placeElsewhere(walker, column, value)
    const earlier = walker.cells[slot.columnIndex]
    if (earlier !== undefined && earlier !== text) this.moveCollided(walker, slot, row)
    walker.cells[slot.columnIndex] = text
    return true
  }

  private placeElsewhere(walker: TableWalker, column: Column, value: unknown): boolean {
    const placed = placeValue(walker, column, value)
    if (placed === discardRow) {
      walker.refused = `data_type: ${column.name}`
      return false
    }
    if (placed === undefined || placed === discardValue) return true
    walker.cells[cellIndex(walker, placed.column.name)] = placed.text
    return true
  }

  /** Finds or creates the column of a slot at its first value. */
  private bindColumn(walker: TableWalker, slot: Slot, value: unknown) {
    const { table } = walker
    const hinted = table.columns.get(slot.name)
    let column = hinted
    if (column?.dataType === undefined) {
      const dataType = this.infer(slot.name, value)
      if (dataType === undefined) return undefined
      // A hinted column was announced, so the contract does not take it for a new one.
      const refused = hinted === undefined ? refuse(walker, 'columns', slot.name, value) : undefined
      if (refused !== undefined) return refused
      if (hinted === undefined && ownColumns(table) >= walker.maxColumns) {
        throw tooManyKeys(`would get more than ${walker.maxColumns.toLocaleString('en')} columns`, walker, slot)
      }
      column = completeColumn(table, { name: slot.name, dataType, nullable: hinted?.nullable ?? true })
    }
    slot.column = column
    slot.columnIndex = cellIndex(walker, slot.name)
    const sharing = walker.sharedBy.get(slot.columnIndex)
    if (sharing === undefined) walker.sharedBy.set(slot.columnIndex, [slot])
    else sharing.push(slot)
    return column
  }

  /**
   * Two keys of one row normalise to one column. The later value takes it, as in dlt; the earlier one moves to a
   * column of its own, named after its key, where dlt would lose it.
   */
  private moveCollided(walker: TableWalker, slot: Slot, row: object | undefined): void {
    const ownName = ({ key }: Slot): string => this.naming.join(`${slot.name}_${identifierTag(key)}`)
    // It moved itself when an even later key was taken for an earlier one.
    const own = walker.indexOf.get(ownName(slot))
    if (own !== undefined) walker.cells[own] = undefined
    for (const other of walker.sharedBy.get(slot.columnIndex) ?? []) {
      if (other === slot) continue
      const value = rawValue(row, other)
      if (value === null || value === undefined || typeof value === 'object') continue
      const name = ownName(other)
      const dataType = inferType(value)
      if (dataType === undefined) continue
      const existing = walker.table.columns.get(name)
      if (existing === undefined) {
        this.notice({ kind: 'keys-collide', table: walker.table.name, column: slot.name, keptAs: name })
      }
      const column =
        existing?.dataType === undefined ? completeColumn(walker.table, { name, dataType, nullable: true }) : existing
      this.placeElsewhere(walker, column, value)
    }
  }
}

/** Objects that are rows or nested documents, not values such as dates, bytes and exact numbers. */
const isDocument = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof ExactNumber || value instanceof Date || value instanceof Uint8Array)

function clearRow(walker: TableWalker): void {
  walker.cells.fill(undefined)
  walker.pendingLists.length = 0
  walker.pendingListSlots.length = 0
}

function writeLine({ table, writer, cells, kinds }: TableWalker): void {
  table.seenData = true
  writer.add(cells, kinds)
}

function cellOf({ indexOf, cells }: TableWalker, column: string): string | undefined {
  const index = indexOf.get(column)
  return index === undefined ? undefined : cells[index]
}

/** The same rows that the load deletes by: `deleted` in `staged-rows.ts`. */
function asksForDeletion(walker: TableWalker): boolean {
  if (walker.tombstone === undefined) return false
  const { flag } = walker.tombstone
  const text = cellOf(walker, flag)
  if (text === undefined) return false
  switch (walker.table.columns.get(flag)!.dataType) {
    case 'bool':
      return text === 'true'
    case 'bigint':
    case 'double':
    case 'decimal':
    case 'wei':
      return Number(text) !== 0
    default:
      return true
  }
}

function nullNotAllowed(walker: TableWalker, column: string, row: unknown): PipelineError {
  return new PipelineError(
    `column "${column}" of table "${walker.table.name}" is ${roleOf(column, walker.table)} but a row has no value for it: ${sample(plainJson(row))}`,
    { code: 'NULL_NOT_ALLOWED', fix: `filter such rows out, or choose a key that every row has` },
  )
}

function roleOf(name: string, { columns, writeDisposition }: Table): string {
  const column = columns.get(name)
  if (column?.primaryKey === true) return 'the primary key'
  if (column?.mergeKey === true) return 'the merge key'
  return writeDisposition?.rowVersionColumnName === name ? 'the row version' : 'not nullable'
}

function tooDeep(walker: TableWalker): PipelineError {
  return new PipelineError(`a row of table "${walker.table.name}" nests deeper than ${deepestNesting} levels`, {
    code: 'NESTED_TOO_DEEP',
    fix: 'set maxTableNesting: what lies deeper is then kept as JSON',
  })
}
