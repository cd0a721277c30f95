import { PipelineError } from '../errors/index.ts'
import {
  applyColumnHints,
  columnsWith,
  completeColumn,
  contentId,
  contractMode,
  ExactNumber,
  identifierTag,
  inference,
  type Inference,
  inferType,
  keyColumns,
  keyId,
  nestedRowId,
  randomRowId,
  system,
  withNames,
  writeDispositionOptions,
  type Column,
  type NamingConvention,
  type Schema,
  type SchemaContract,
  type Table,
} from '../schema/index.ts'
import {
  cellText,
  discardRow,
  discardValue,
  placeValue,
  refuse,
  sample,
  violation,
  type Notice,
} from './column-cell.ts'
import { DelimitedWriter, quoted } from './delimited.ts'
import type { RowTarget, TableHints } from './table-hints.ts'
import { cellIndex, newLevel, rawValue, type Level, type Slot, type TableWalker } from './table-walker.ts'

/** dlt's own limit for nesting that nobody limited. */
const deepestNesting = 1000

/**
 * Rows become lines of delimited text, one file a table: naming, types, child tables and ids in one walk over each
 * record. The schema it is given grows while rows pass.
 */
export class Normalizer {
  readonly schema: Schema
  private readonly naming: NamingConvention
  private readonly nextPath: (table: string) => string
  private readonly notice: (notice: Notice) => void
  private readonly infer: Inference
  private readonly takesNul: boolean
  private readonly walkers = new Map<string, TableWalker>()
  private readonly targets = new Map<RowTarget, TableWalker>()

  constructor(
    schema: Schema,
    naming: NamingConvention,
    nextPath: (table: string) => string,
    notice: (notice: Notice) => void,
    options: { infer?: Inference; takesNul?: boolean } = {},
  ) {
    this.infer = options.infer ?? inference({})
    this.takesNul = options.takesNul ?? true
    this.schema = schema
    this.naming = naming
    this.nextPath = nextPath
    this.notice = notice
  }

  /** Writes rows. Lists among them are taken apart, null is skipped, scalars become the column `value`. */
  write(target: RowTarget, rows: readonly unknown[]): void {
    const walker = this.rootWalker(target)
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
    const walker = this.rootWalker(target)
    if (walker.quarantine !== undefined) this.quarantine(walker.quarantine, walker.table.name, reason, row)
  }

  /** Keeps a row that may not be loaded: where it would have gone, why not, and all of it. */
  private quarantine(target: RowTarget, table: string, reason: string, row: unknown): void {
    this.write(target, [{ table_name: table, reason, row, quarantined_at: new Date() }])
  }

  /** Creates the table of a target, with its hinted columns, before any row came. */
  declare(target: RowTarget): Table {
    return this.rootWalker(target).table
  }

  /** Writers with rows, by table. */
  *writers(): Iterable<DelimitedWriter & { rows: number }> {
    for (const walker of this.walkers.values()) if (walker.writer.rows > 0) yield walker.writer
  }

  /** Ends the files of the given tables and returns them; their rows go into the next package from here on. */
  takeFiles(tables: ReadonlySet<string>): { table: string; files: ReturnType<DelimitedWriter['finish']> }[] {
    const taken = []
    for (const walker of this.walkers.values()) {
      if (!tables.has(walker.table.name) || walker.writer.rows === 0) continue
      const files = walker.writer.finish()
      if (walker.writer.replacedCharacters) this.notice({ kind: 'character-replaced', table: walker.table.name })
      walker.writer = this.newWriter(walker)
      taken.push({ table: walker.table.name, files })
    }
    return taken
  }

  private newWriter(walker: { table: Table; columnNames: string[] }): DelimitedWriter {
    return new DelimitedWriter(walker.table.name, walker.columnNames, this.nextPath, this.takesNul)
  }

  // ---- tables

  private rootWalker(target: RowTarget): TableWalker {
    let walker = this.targets.get(target)
    if (walker === undefined) {
      walker = this.openRoot(target)
      this.targets.set(target, walker)
    }
    return walker
  }

  private openRoot(target: RowTarget): TableWalker {
    const name = this.naming.path(target.table)
    const known = this.schema.tables.get(name)
    const disposition = writeDispositionOptions(
      target.hints.writeDisposition ?? known?.writeDisposition ?? { disposition: 'append' },
    )
    const isNew = known === undefined || !known.seenData
    const mode = contractMode(target.hints.schemaContract, 'tables')
    if (isNew && mode === 'freeze') throw violation(name, 'tables', undefined, 'first rows')
    const table: Table = known ?? { name, columns: new Map(), seenData: false }
    const discarded = isNew && mode !== 'evolve'
    if (!discarded) this.schema.tables.set(name, table)
    table.resource = target.resource
    table.writeDisposition = disposition
    if (target.hints.description !== undefined) table.description = target.hints.description
    applyColumnHints(table, this.hintedColumns(target.hints))
    if (disposition.strategy === 'scd2') addValidityColumns(table)
    const strategy = disposition.disposition === 'merge' ? disposition.strategy : undefined
    const walker = this.walkers.get(name) ?? this.newWalker(table, name, target.hints.schemaContract, isNew)
    this.walkers.set(name, walker)
    walker.discarded = discarded
    walker.required = this.requiredColumns(table)
    walker.rowId = rowIdKind(table)
    walker.quarantine = setsRowsAside(target.hints) ? quarantineOf(target) : undefined
    if (walker.quarantine !== undefined) this.rootWalker(walker.quarantine)
    walker.withRootId = target.rootKey ?? (strategy !== undefined && strategy !== 'scd2')
    walker.maxNesting = target.maxTableNesting ?? deepestNesting
    walker.nestedHints = new Map(
      Object.entries(target.hints.nestedHints ?? {}).map(([path, hints]) => [
        this.naming.join(name, ...path.split('.').map((part) => this.naming.path(part))),
        hints,
      ]),
    )
    return walker
  }

  private hintedColumns(hints: TableHints): Column[] {
    const columns = new Map<string, Column>()
    const add = (name: string, hint: Partial<Column>): void => {
      const normalized = this.naming.path(name)
      columns.set(normalized, { ...columns.get(normalized), ...hint, name: normalized })
    }
    for (const column of withNames(hints.columns)) add(column.name, column)
    for (const key of keyColumns(hints.primaryKey)) add(key, { primaryKey: true, nullable: false })
    for (const key of keyColumns(hints.mergeKey)) add(key, { mergeKey: true, nullable: false })
    return [...columns.values()]
  }

  private requiredColumns(table: Table): string[] {
    return [...table.columns.values()]
      .filter((column) => column.nullable === false && !column.name.startsWith('_dlt_'))
      .map((column) => column.name)
  }

  private newWalker(table: Table, path: string, contract: SchemaContract | undefined, newTable: boolean): TableWalker {
    const columnNames: string[] = []
    return {
      table,
      path,
      contract,
      newTable,
      notice: this.notice,
      columnNames,
      indexOf: new Map(),
      cells: [],
      top: newLevel(undefined, 0),
      writer: this.newWriter({ table, columnNames }),
      discarded: false,
      required: [],
      sharedBy: new Map(),
      pendingObjects: [],
      pendingLevels: [],
      pendingLists: [],
      pendingListSlots: [],
      links: undefined,
      rowId: 'random',
      rootLike: table.parent === undefined,
      withRootId: false,
      maxNesting: deepestNesting,
      nestedHints: new Map(),
      quarantine: undefined,
      refused: '',
    }
  }

  private openNested(parent: TableWalker, slot: Slot): TableWalker {
    const path = this.naming.unshortened(parent.path, slot.path)
    const name = this.naming.join(path)
    const open = this.walkers.get(name)
    if (open !== undefined) return open
    const known = this.schema.tables.get(name)
    const isNew = known === undefined || !known.seenData
    const mode = contractMode(parent.contract, 'tables')
    // The contract speaks about tables that exist; a table whose first load this is may still grow children.
    const refused = isNew && mode !== 'evolve' && !parent.newTable
    if (refused && mode === 'freeze') throw violation(name, 'tables', undefined, 'a list')
    const table: Table = known ?? { name, columns: new Map(), parent: parent.table.name, seenData: false }
    if (!refused) this.schema.tables.set(name, table)
    const walker = this.newWalker(table, path, parent.contract, isNew)
    walker.discarded = refused
    walker.quarantine = parent.quarantine
    walker.withRootId = parent.withRootId || columnsWith(table, 'rootKey').length > 0
    walker.maxNesting = parent.maxNesting
    // Under a random id, an id derived from it would be no less random, only slower.
    walker.rowId = parent.rowId === 'random' ? 'random' : 'nested'
    walker.nestedHints = parent.nestedHints
    walker.top = newLevel(undefined, slot.level)
    const hints = parent.nestedHints.get(name)
    if (hints !== undefined) {
      applyColumnHints(table, this.hintedColumns(hints))
      if (hints.writeDisposition !== undefined) table.writeDisposition = writeDispositionOptions(hints.writeDisposition)
      walker.contract = hints.schemaContract ?? parent.contract
      walker.required = this.requiredColumns(table)
      walker.rootLike = keyColumns(hints.primaryKey).length + keyColumns(hints.mergeKey).length > 0
      if (walker.rootLike) walker.rowId = 'random'
    }
    this.walkers.set(name, walker)
    return walker
  }

  // ---- rows

  /** Writes one row and, after it, the rows of its lists. */
  private writeRow(walker: TableWalker, row: unknown, parentId: string, rootId: string, listIndex: number): void {
    const fits = isDocument(row) ? this.walkObject(walker, row) : this.setValue(walker, this.valueSlot(walker), row)
    if (!fits) {
      clearRow(walker)
      if (walker.quarantine !== undefined) this.quarantine(walker.quarantine, walker.table.name, walker.refused, row)
      return
    }
    const id = this.linkRow(walker, row, parentId, rootId, listIndex)
    for (const name of walker.required) {
      const index = walker.indexOf.get(name)
      if (index === undefined || walker.cells[index] === undefined) throw nullNotAllowed(walker, name, row)
    }
    writeLine(walker)
    if (walker.pendingLists.length > 0) this.writeLists(walker, id, rootId === '' ? id : rootId)
  }

  private writeLists(walker: TableWalker, id: string, rootId: string): void {
    const { pendingLists, pendingListSlots } = walker
    for (let at = 0; at < pendingLists.length; at++) {
      const slot = pendingListSlots[at]!
      const nested = (slot.nested ??= this.openNested(walker, slot))
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
      const linkId = this.linkRow(nested, undefined, parentId, rootId, index)
      writeLine(nested)
      const inner = (slot.nested ??= this.openNested(nested, slot))
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
    for (const other of walker.sharedBy.get(slot.columnIndex) ?? []) {
      if (other === slot) continue
      const value = rawValue(row, other)
      if (value === null || value === undefined || typeof value === 'object') continue
      const name = this.naming.join(`${slot.name}_${identifierTag(other.key)}`)
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

  /** Adds id and links to the row's cells and returns its id. */
  private linkRow(walker: TableWalker, row: unknown, parentId: string, rootId: string, listIndex: number): string {
    const links = (walker.links ??= declareLinks(walker))
    const { cells } = walker
    if (links.rootId >= 0) cells[links.rootId] = quoted(rootId)
    if (links.parentId >= 0) {
      cells[links.parentId] = quoted(parentId)
      cells[links.listIndex] = String(listIndex)
    }
    const own = cells[links.id] === undefined ? undefined : ownId(row)
    const id = own ?? this.newId(walker, row, parentId, listIndex)
    cells[links.id] = quoted(id)
    return id
  }

  private newId(walker: TableWalker, row: unknown, parentId: string, listIndex: number): string {
    switch (walker.rowId) {
      case 'content':
        return contentId(row)
      case 'key':
        return keyId(this.keyOf(walker, row))
      case 'nested':
        return nestedRowId(parentId, walker.table.name, listIndex)
      default:
        return randomRowId()
    }
  }

  private keyOf(walker: TableWalker, row: unknown): Record<string, unknown> {
    const key: Record<string, unknown> = {}
    for (const name of columnsWith(walker.table, 'primaryKey')) {
      const slots = walker.sharedBy.get(walker.indexOf.get(name) ?? -1) ?? []
      key[name] = slots.map((slot) => rawValue(row, slot)).find((value) => value !== undefined && value !== null)
    }
    return key
  }
}

/** Objects that are rows or nested documents, not values such as dates, bytes and exact numbers. */
const isDocument = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof ExactNumber || value instanceof Date || value instanceof Uint8Array)

const setsRowsAside = ({ quarantine, checks = [] }: TableHints): boolean =>
  quarantine === true || checks.some((check) => check.severity === 'quarantine')

/** Where a table's refused rows go; told apart by their table, so one table serves nested rows too. */
function quarantineOf(target: RowTarget): RowTarget {
  return {
    table: `${target.table}_quarantine`,
    resource: target.resource,
    hints: {
      writeDisposition: 'append',
      columns: {
        table_name: { dataType: 'text' },
        reason: { dataType: 'text' },
        row: { dataType: 'json' },
        quarantined_at: { dataType: 'timestamp' },
        [system.loadId]: { dataType: 'text', nullable: false },
        [system.id]: { dataType: 'text', nullable: false },
      },
    },
  }
}

function ownId(row: unknown): string | undefined {
  const own = (row as Record<string, unknown>)[system.id]
  return own === undefined || own === null ? undefined : String(own)
}

/** Declares the columns that link rows, in dlt's order; the file does not carry the load's id. */
function declareLinks(walker: TableWalker): NonNullable<TableWalker['links']> {
  const nested = walker.table.parent !== undefined
  const declare = (name: string, hints: Partial<Column>): number => {
    declareColumn(walker.table, { name, dataType: 'text', nullable: false, ...hints })
    return cellIndex(walker, name)
  }
  const rootId = nested && walker.withRootId ? declare(system.rootId, { rootKey: true }) : -1
  const linked = nested && !walker.rootLike
  const parentId = linked ? declare(system.parentId, { parentKey: true }) : -1
  const listIndex = linked ? declare(system.listIndex, { dataType: 'bigint' }) : -1
  // The same for every row of a package, so the loader adds it and the files do not carry it.
  if (!linked) declareColumn(walker.table, { name: system.loadId, dataType: 'text', nullable: false })
  const versioned = walker.rowId === 'content'
  const id = declare(
    system.id,
    versioned ? { rowVersion: true, unique: false, rowKey: false } : { unique: true, rowKey: true },
  )
  return { rootId, parentId, listIndex, id }
}

function rowIdKind(table: Table): TableWalker['rowId'] {
  const { strategy, rowVersionColumnName } = table.writeDisposition ?? {}
  if (strategy === 'scd2') return rowVersionColumnName === undefined ? 'content' : 'random'
  const keyed = strategy === 'upsert' || strategy === 'insert-only'
  return keyed && columnsWith(table, 'primaryKey').length > 0 ? 'key' : 'random'
}

function declareColumn(table: Table, column: Column): void {
  const existing = table.columns.get(column.name)
  // A key that the data brought keeps its place and gains dlt's hints.
  if (existing?.dataType !== undefined) Object.assign(existing, column)
  else completeColumn(table, column)
}

function addValidityColumns(table: Table): void {
  const options = table.writeDisposition!
  const [from, to] = options.validityColumnNames ?? [system.validFrom, system.validTo]
  const columns: Column[] = [
    { name: from, dataType: 'timestamp', nullable: true, validFrom: true },
    {
      name: to,
      dataType: 'timestamp',
      nullable: true,
      validTo: true,
      activeRecordTimestamp: options.activeRecordTimestamp ?? null,
    },
  ]
  const others = [...table.columns.values()].filter((column) => column.name !== from && column.name !== to)
  table.columns = new Map([...columns, ...others].map((column) => [column.name, column]))
}

function clearRow(walker: TableWalker): void {
  walker.cells.fill(undefined)
  walker.pendingLists.length = 0
  walker.pendingListSlots.length = 0
}

function writeLine(walker: TableWalker): void {
  const { cells } = walker
  let line = cells[0] ?? ''
  cells[0] = undefined
  for (let index = 1; index < cells.length; index++) {
    const cell = cells[index]
    if (cell === undefined) line += ','
    else {
      line += `,${cell}`
      cells[index] = undefined
    }
  }
  walker.table.seenData = true
  walker.writer.add(line)
}

function nullNotAllowed(walker: TableWalker, column: string, row: unknown): PipelineError {
  const key = walker.table.columns.get(column)
  const role = key?.primaryKey === true ? 'the primary key' : key?.mergeKey === true ? 'the merge key' : 'not nullable'
  return new PipelineError(
    `column "${column}" of table "${walker.table.name}" is ${role} but a row has no value for it: ${sample(JSON.stringify(row))}`,
    { code: 'NULL_NOT_ALLOWED', fix: `filter such rows out, or choose a key that every row has` },
  )
}

function tooDeep(walker: TableWalker): PipelineError {
  return new PipelineError(`a row of table "${walker.table.name}" nests deeper than ${deepestNesting} levels`, {
    code: 'NESTED_TOO_DEEP',
    fix: 'set maxTableNesting: what lies deeper is then kept as JSON',
  })
}
