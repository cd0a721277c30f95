const tables = new WeakMap<object, string>()

/** Does some work of a load on a table; an error of it is known to be that table's. */
export async function atTable<T>(table: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (typeof error === 'object' && error !== null && !tables.has(error)) tables.set(error, table)
    throw error
  }
}

/** The table at whose load an error, or one of its causes, was thrown. */
export function tableOf(error: unknown): string | undefined {
  for (let one = error; typeof one === 'object' && one !== null; one = (one as Error).cause) {
    const table = tables.get(one)
    if (table !== undefined) return table
  }
  return undefined
}
