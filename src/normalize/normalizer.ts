import { rmSync } from 'node:fs'
import { PipelineError } from '../errors/index.ts'
import {
  completeColumn,
  contractMode,
  formOf,
  identifierTag,
  inference,
  type Inference,
  isDocument,
  isPlainObject,
  NoStoredForm,
  type Column,
  type NamingConvention,
  type RowLimit,
  type Schema,
  type StorageLimits,
  type Table,
} from '../schema/index.ts'
import { cellText, discardRow, discardValue, placeValue, refuse, storeNull, type Notice } from './column-cell.ts'
import { CollidedKeys } from './collided-keys.ts'
import { DelimitedWriter, type TableFile } from './delimited.ts'
import { linkRow, ownColumns } from './links.ts'
import { listedRows } from './list-rows.ts'
import { withPlace } from './refused-value.ts'
import { requireValues } from './required-values.ts'
import { refuseLargeRow, safeColumns } from './row-size.ts'
import type { RowTarget } from './table-hints.ts'
import {
  cellIndex,
  deepestNesting,
  isKeptWhole,
  keyPath,
  keysPerColumn,
  longestPath,
  newLevel,
  shareColumn,
  tooLongKey,
  tooManyKeys,
  type Level,
  type Slot,
  type TableWalker,
} from './table-walker.ts'
import { Walkers } from './walkers.ts'

interface NormalizerOptions {
  infer?: Inference
  takesNul?: boolean
  fileBytes?: number
  storage?: StorageLimits
  /** A normalizer of whose schema this one has a copy: what it has seen counts towards the limits here too. */
  goesOnFrom?: Normalizer
}

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
  private readonly collided: CollidedKeys
  private readonly rowLimit: RowLimit | undefined
  private readonly safeColumns: number

  constructor(
    schema: Schema,
    naming: NamingConvention,
    nextPath: (table: string) => string,
    notice: (notice: Notice) => void,
    options: NormalizerOptions = {},
  ) {
    this.schema = schema
    this.naming = naming
    this.notice = notice
    this.infer = options.infer ?? inference({})
    const delimited = { takesNul: options.takesNul ?? true, fileBytes: options.fileBytes ?? Infinity }
    this.newWriter = (table, columns) => new DelimitedWriter(table, columns, nextPath, delimited)
    const { storage = {} } = options
    const goesOnFrom = options.goesOnFrom?.walkers
    this.walkers = new Walkers(schema, naming, { newWriter: this.newWriter, notice, storage, goesOnFrom })
    this.collided = new CollidedKeys(naming)
    this.rowLimit = storage.row
    this.safeColumns = storage.row === undefined ? Infinity : safeColumns(storage.row)
  }

  /** Writes rows, of lists too (`listedRows`). Null is skipped, scalars become the column `value`. */
  write(target: RowTarget, page: readonly unknown[]): void {
    const walker = this.walkers.root(target)
    if (walker.discarded) {
      for (const row of listedRows(page)) {
        this.notice({ kind: 'row-discarded', table: walker.table.name, entity: 'tables' })
        if (walker.quarantine !== undefined) this.quarantine(walker.quarantine, walker.table.name, 'tables', row)
      }
      return
    }
    for (const given of page) {
      try {
        const row = formOf(given)
        if (Array.isArray(row)) this.write(target, listedRows([row]))
        else if (row !== null && row !== undefined) this.writeRow(walker, row, '', '', 0)
      } catch (error) {
        throw error instanceof NoStoredForm ? withPlace(error, walker.table.name, given) : error
      }
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

  /** Writes one row, given by its form, and after it the rows of its lists. */
  private writeRow(walker: TableWalker, row: unknown, parentId: string, rootId: string, listIndex: number): void {
    const fits = isDocument(row) ? this.walkObject(walker, row) : this.setValue(walker, this.valueSlot(walker), row)
    if (!fits) {
      clearRow(walker)
      if (walker.quarantine !== undefined) this.quarantine(walker.quarantine, walker.table.name, walker.refused, row)
      return
    }
    const id = linkRow(walker, row, parentId, rootId, listIndex)
    requireValues(walker, row)
    if (walker.cells.length > this.safeColumns) refuseLargeRow(walker, this.rowLimit!, row)
    writeLine(walker)
    if (walker.pendingLists.length > 0) this.writeLists(walker, id, rootId === '' ? id : rootId)
  }

  private writeLists(walker: TableWalker, id: string, rootId: string): void {
    const { pendingLists, pendingListSlots } = walker
    // As with columns, the last of several lists with one name gets the table of that name.
    for (const slot of pendingListSlots) {
      slot.nested ??= this.walkers.nested(walker, slot)
      slot.nested.lastList = slot
    }
    for (let at = 0; at < pendingLists.length; at++) {
      const slot = pendingListSlots[at]!
      const nested = slot.nested!.lastList === slot ? slot.nested! : this.collidedList(walker, slot)
      this.writeList(nested, pendingLists[at]!, id, rootId)
    }
    pendingLists.length = 0
    pendingListSlots.length = 0
  }

  /** The table of a list whose name another list of the row has. */
  private collidedList(walker: TableWalker, slot: Slot): TableWalker {
    if (slot.collided === undefined) {
      slot.collided = this.walkers.nested(walker, slot, identifierTag(keyPath(slot)))
      const { name } = slot.collided.table
      this.notice({ kind: 'keys-collide', table: walker.table.name, column: slot.name, keptAs: name })
    }
    return slot.collided
  }

  private writeList(nested: TableWalker, list: readonly unknown[], parentId: string, rootId: string): void {
    if (nested.discarded) {
      this.notice({ kind: 'row-discarded', table: nested.table.name, entity: 'tables' })
      return
    }
    for (let index = 0; index < list.length; index++) {
      const item = formOf(list[index])
      const slot = Array.isArray(item) ? this.listSlot(nested) : undefined
      if (slot === undefined || isKeptWhole(nested, slot)) {
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
    if (!isList && !isPlainObject(value)) return this.takeForm(walker, slot, value, row)
    if (isKeptWhole(walker, slot)) return this.setValue(walker, slot, value, row)
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

  /** Takes an instance of a class by its form, which is a scalar, a list or a plain object. */
  private takeForm(walker: TableWalker, slot: Slot, value: object, row: object): boolean {
    const form = formOf(value)
    if (form === null || form === undefined) {
      storeNull(walker, slot.name, value)
      return true
    }
    return isDocument(form) || Array.isArray(form)
      ? this.takeApart(walker, slot, form, row)
      : this.setValue(walker, slot, form, row)
  }

  private slot(walker: TableWalker, level: Level, key: string): Slot {
    if (key.length > longestPath) throw tooLongKey(walker, key)
    // Keys that are columns already are limited by those: there is room for what the hints name.
    if (level.slot !== undefined || !walker.table.columns.has(key)) walker.keys += 1
    if (walker.keys > keysPerColumn * walker.maxColumns && contractMode(walker.contract, 'columns') === 'evolve') {
      const most = (keysPerColumn * walker.maxColumns).toLocaleString('en')
      throw tooManyKeys(`has rows with more than ${most} different keys`, walker, { parent: level, key })
    }
    const own = this.naming.key(key)
    const path = level.slot === undefined ? own : this.naming.unshortened(level.slot.path, own)
    // Names are made from the whole path, once for each key on it.
    if (path.length > longestPath) throw tooLongKey(walker, keyPath({ key, parent: level }))
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
      collided: undefined,
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
    if (text === undefined) return this.placeElsewhere(walker, slot, column, value, row)
    if (walker.cells[slot.columnIndex] !== undefined) this.collided.move(walker, slot, slot.columnIndex, value, row)
    walker.cells[slot.columnIndex] = text
    return true
  }

  private placeElsewhere(walker: TableWalker, slot: Slot, column: Column, value: unknown, row?: object): boolean {
    const placed = placeValue(walker, column, value)
    if (placed === discardRow) {
      walker.refused = `data_type: ${column.name}`
      return false
    }
    if (placed === undefined || placed === discardValue) return true
    const index = cellIndex(walker, placed.column.name)
    shareColumn(walker, slot, index)
    if (walker.cells[index] !== undefined) this.collided.move(walker, slot, index, value, row)
    walker.cells[index] = placed.text
    return true
  }

  /** Finds or creates the column of a slot at its first value. */
  private bindColumn(walker: TableWalker, slot: Slot, value: unknown) {
    const { table } = walker
    const hinted = table.columns.get(slot.name)
    let column = hinted
    if (column?.dataType === undefined) {
      const dataType = this.infer(slot.name, value)
      if (dataType === undefined) {
        storeNull(walker, slot.name, value)
        return undefined
      }
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
    shareColumn(walker, slot, slot.columnIndex)
    return column
  }
}

function clearRow(walker: TableWalker): void {
  walker.cells.fill(undefined)
  walker.pendingLists.length = 0
  walker.pendingListSlots.length = 0
}

function writeLine({ table, writer, cells, kinds }: TableWalker): void {
  table.seenData = true
  writer.add(cells, kinds)
}

function tooDeep(walker: TableWalker): PipelineError {
  return new PipelineError(`a row of table "${walker.table.name}" nests deeper than ${deepestNesting} levels`, {
    code: 'NESTED_TOO_DEEP',
    fix: 'set maxTableNesting: what lies deeper is then kept as JSON',
  })
}
