/** An answer that cannot be read as what it should be. The message says what it is: "an HTML page". */
export class NotInFormat extends Error {}

export function notJson(text: string, error: unknown): NotInFormat {
  const what = /^\s*</.test(text) ? 'an HTML page' : `text that is not JSON (${(error as Error).message})`
  return new NotInFormat(what, { cause: error })
}
