import { PipelineError } from '../errors/index.ts'
import {
  applyColumnHints,
  columnsWith,
  completeColumn,
  contractMode,
  declareHints,
  identifierTag,
  keyColumns,
  rootOf,
  system,
  tableWithNested,
  withNames,
  writeDispositionOptions,
  type Column,
  type NamingConvention,
  type Schema,
  type SchemaContract,
  type StorageLimits,
  type Table,
  type WriteDispositionOptions,
} from '../schema/index.ts'
import { appendsForWantOfKeys, checkHints, keyedUnderVersions } from './check-hints.ts'
import { violation, type Notice } from './column-cell.ts'
import type { DelimitedWriter } from './delimited.ts'
import type { RowTarget, TableHints } from './table-hints.ts'
import { takeOverKeys } from './taken-keys.ts'
import {
  deepestNesting,
  keyPath,
  mostColumns,
  newLevel,
  refreshKinds,
  tooManyKeys,
  type Slot,
  type TableWalker,
} from './table-walker.ts'

/** The tables that rows go to: opened once, with their hints, their contract and how their rows get ids. */
export class Walkers {
  private readonly schema: Schema
  private readonly naming: NamingConvention
  private readonly newWriter: (table: string, columns: readonly string[]) => DelimitedWriter
  private readonly notice: (notice: Notice) => void
  private readonly storage: StorageLimits
  private readonly goesOnFrom: Walkers | undefined
  private readonly byTable = new Map<string, TableWalker>()
  private readonly byTarget = new Map<RowTarget, TableWalker>()

  constructor(
    schema: Schema,
    naming: NamingConvention,
    parts: {
      newWriter: (table: string, columns: readonly string[]) => DelimitedWriter
      notice: (notice: Notice) => void
      storage: StorageLimits
      /** Those of whose schema this one is a copy. */
      goesOnFrom?: Walkers | undefined
    },
  ) {
    this.schema = schema
    this.naming = naming
    this.newWriter = parts.newWriter
    this.notice = parts.notice
    this.storage = parts.storage
    this.goesOnFrom = parts.goesOnFrom
  }

  all(): Iterable<TableWalker> {
    return this.byTable.values()
  }

  /** The root table of a target. */
  root(target: RowTarget): TableWalker {
    let walker = this.byTarget.get(target)
    if (walker === undefined) {
      walker = this.openRoot(target)
      this.byTarget.set(target, walker)
    }
    return walker
  }

  private openRoot(target: RowTarget): TableWalker {
    const name = this.naming.key(target.table)
    const known = this.schema.tables.get(name)
    const open = this.byTable.get(name)
    const earlier = this.earlier(known)
    const disposition = this.withColumnNames(
      writeDispositionOptions(target.hints.writeDisposition ?? open?.table.writeDisposition ?? 'append'),
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
    const hinted = this.hintedColumns(target.hints)
    for (const column of hinted) refuseWideDecimal(name, column, this.storage)
    if (open === undefined && earlier === undefined) declareHints(table, hinted)
    else applyColumnHints(table, hinted)
    checkHints(table)
    if (disposition.strategy === 'scd2') addValidityColumns(table)
    const strategy = disposition.disposition === 'merge' ? disposition.strategy : undefined
    if (open === undefined && appendsForWantOfKeys(table)) this.notice({ kind: 'merge-without-key', table: name })
    const walker = open ?? this.newWalker(table, name, target.hints.schemaContract, isNew)
    this.byTable.set(name, walker)
    if (open === undefined && earlier !== undefined) takeOverKeys(walker, earlier)
    refreshKinds(walker)
    walker.discarded = discarded
    walker.required = requiredColumns(table)
    walker.tombstone = tombstoneOf(table)
    walker.rowId = rowIdKind(table)
    if (walker.rowId === 'key' && choosesAmongRows(table)) walker.usedIds ??= new Set()
    walker.quarantine = setsRowsAside(target.hints) ? quarantineOf(target) : undefined
    if (walker.quarantine !== undefined) this.root(walker.quarantine)
    walker.withRootId = target.rootKey ?? (strategy !== undefined && strategy !== 'scd2')
    if (walker.withRootId) this.declareRootIds(table)
    walker.maxNesting = target.maxTableNesting ?? deepestNesting
    walker.maxColumns = target.maxTableColumns ?? mostColumns
    walker.nestedHints = new Map(
      Object.entries(target.hints.nestedHints ?? {}).map(([path, hints]) => [
        this.naming.join(name, ...path.split('.').map((part) => this.naming.key(part))),
        hints,
      ]),
    )
    return walker
  }

  /** The walker of a table that has been opened before the schema was copied. */
  private earlier(known: Table | undefined): TableWalker | undefined {
    return known === undefined ? undefined : this.goesOnFrom?.byTable.get(known.name)
  }

  private hintedColumns(hints: TableHints): Column[] {
    const columns = new Map<string, Column>()
    const add = (name: string, hint: Partial<Column>): void => {
      const normalized = this.naming.key(name)
      columns.set(normalized, { ...columns.get(normalized), ...hint, name: normalized })
    }
    for (const column of withNames(hints.columns)) add(column.name, column)
    for (const key of keyColumns(hints.primaryKey)) add(key, { primaryKey: true, nullable: false })
    for (const key of keyColumns(hints.mergeKey)) add(key, { mergeKey: true, nullable: false })
    return [...columns.values()]
  }

  /** A disposition whose columns are called as in the table. */
  private withColumnNames(options: WriteDispositionOptions): WriteDispositionOptions {
    const { validityColumnNames, rowVersionColumnName } = options
    const named = { ...options }
    if (rowVersionColumnName !== undefined) named.rowVersionColumnName = this.naming.key(rowVersionColumnName)
    if (validityColumnNames !== undefined) {
      const [from, to] = validityColumnNames
      named.validityColumnNames = [this.naming.key(from), this.naming.key(to)]
    }
    return named
  }

  /** A merge finds nested rows by the id of their root row, also those that were loaded without it. */
  private declareRootIds(root: Table): void {
    for (const table of tableWithNested(this.schema, root.name).slice(1)) {
      if (!table.seenData || table.columns.has(system.rootId)) continue
      completeColumn(table, { name: system.rootId, dataType: 'text', nullable: false, rootKey: true })
    }
  }

  private newWalker(table: Table, path: string, contract: SchemaContract | undefined, newTable: boolean): TableWalker {
    const columnNames: string[] = []
    return {
      table,
      path,
      contract,
      newTable,
      notice: this.notice,
      textBytes: this.storage.textBytes ?? Infinity,
      columnNames,
      indexOf: new Map(),
      cells: [],
      kinds: [],
      top: newLevel(undefined, 0),
      writer: this.newWriter(table.name, columnNames),
      discarded: false,
      required: [],
      sharedBy: new Map(),
      pendingObjects: [],
      pendingLevels: [],
      pendingLists: [],
      pendingListSlots: [],
      keys: 0,
      lastList: undefined,
      links: undefined,
      rowId: 'random',
      rootLike: table.parent === undefined,
      withRootId: false,
      maxNesting: deepestNesting,
      maxColumns: mostColumns,
      nestedHints: new Map(),
      tombstone: undefined,
      usedIds: undefined,
      quarantine: undefined,
      refused: '',
    }
  }

  /** The table of a list, opened at its first one; with a tag where another list of the row has that name. */
  nested(parent: TableWalker, slot: Slot, tag?: string): TableWalker {
    const plain = this.naming.unshortened(parent.path, slot.path)
    const path = tag === undefined ? plain : `${plain}_${tag}`
    const name = this.naming.join(path)
    const open = this.byTable.get(name)
    const known = this.schema.tables.get(name)
    const above = (open?.table ?? known)?.parent
    // Two tables above, one name: a list `b` of the rows in `a`, and a list that is itself called `a__b`.
    if (tag === undefined && above !== undefined && above !== parent.table.name) {
      const other = this.nested(parent, slot, identifierTag(`${parent.table.name}.${keyPath(slot)}`))
      if (other.newTable && !other.discarded) {
        this.notice({ kind: 'lists-collide', table: name, parent: parent.table.name, keptAs: other.table.name })
      }
      return other
    }
    if (open !== undefined) return open
    const isNew = known === undefined || !known.seenData
    const mode = contractMode(parent.contract, 'tables')
    // The contract speaks about tables that exist; a table whose first load this is may still grow children.
    const refused = isNew && mode !== 'evolve' && !parent.newTable
    if (refused && mode === 'freeze') throw violation(name, 'tables', undefined, 'a list')
    if (known === undefined && this.schema.tables.size > parent.maxColumns) {
      throw tooManyKeys(`would bring more than ${parent.maxColumns.toLocaleString('en')} tables`, parent, slot)
    }
    const table: Table = known ?? { name, columns: new Map(), parent: parent.table.name, seenData: false }
    if (!refused) this.schema.tables.set(name, table)
    const walker = this.newWalker(table, path, parent.contract, isNew)
    const earlier = this.earlier(known)
    walker.discarded = refused
    walker.quarantine = parent.quarantine
    walker.withRootId = parent.withRootId || columnsWith(table, 'rootKey').length > 0
    walker.maxNesting = parent.maxNesting
    walker.maxColumns = parent.maxColumns
    // Under a random id, an id derived from it would be no less random, only slower.
    walker.rowId = parent.rowId === 'random' ? 'random' : 'nested'
    walker.nestedHints = parent.nestedHints
    walker.top = newLevel(undefined, slot.level)
    const hints = parent.nestedHints.get(name)
    declareHints(table, hints === undefined ? [] : this.hintedColumns(hints))
    if (hints !== undefined) {
      if (hints.writeDisposition !== undefined) table.writeDisposition = writeDispositionOptions(hints.writeDisposition)
      walker.contract = hints.schemaContract ?? parent.contract
      walker.required = requiredColumns(table)
      walker.rootLike = keyColumns(hints.primaryKey).length + keyColumns(hints.mergeKey).length > 0
      if (walker.rootLike) walker.rowId = 'random'
      if (walker.rootLike && rootOf(this.schema, table).writeDisposition?.strategy === 'scd2')
        throw keyedUnderVersions(name)
    }
    if (earlier !== undefined) takeOverKeys(walker, earlier)
    this.byTable.set(name, walker)
    return walker
  }
}

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

function refuseWideDecimal(table: string, { name, dataType, precision = 0 }: Column, storage: StorageLimits): void {
  const { decimalDigits = Infinity } = storage
  if (dataType !== 'decimal' || precision <= decimalDigits) return
  throw new PipelineError(
    `column "${name}" of table "${table}" is declared with ${precision} digits; a decimal of the destination has ${decimalDigits} at most`,
    {
      code: 'VALUE_NOT_STORABLE',
      fix: `set its precision to ${decimalDigits} or less, or keep it as text: dataType: 'text'`,
    },
  )
}

function rowIdKind(table: Table): TableWalker['rowId'] {
  const { strategy, rowVersionColumnName } = table.writeDisposition ?? {}
  if (strategy === 'scd2') return rowVersionColumnName === undefined ? 'content' : 'random'
  return strategy === 'upsert' || strategy === 'insert-only' ? 'key' : 'random'
}

/** Of rows with one key in one package, the load keeps one; upsert refuses them unless a column says which. */
const choosesAmongRows = (table: Table): boolean =>
  table.writeDisposition?.strategy === 'insert-only' ||
  [...table.columns.values()].some(({ dedupSort }) => dedupSort !== undefined)

function requiredColumns(table: Table): string[] {
  const { strategy, rowVersionColumnName } = table.writeDisposition ?? {}
  const names = [...table.columns.values()]
    .filter((column) => column.nullable === false && !column.name.startsWith('_dlt_'))
    .map((column) => column.name)
  const version = strategy === 'scd2' ? rowVersionColumnName : undefined
  return version === undefined || names.includes(version) ? names : [...names, version]
}

/** What a row needs that asks for deletion: the flag, and the key by which it finds the stored row. */
function tombstoneOf(table: Table): TableWalker['tombstone'] {
  const { disposition, strategy } = table.writeDisposition!
  const flag = [...table.columns.values()].find(({ hardDelete }) => hardDelete === true)
  if (disposition !== 'merge' || strategy === 'scd2' || flag === undefined) return undefined
  const primaryKey = columnsWith(table, 'primaryKey')
  return { flag: flag.name, key: primaryKey.length > 0 ? primaryKey : columnsWith(table, 'mergeKey') }
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
