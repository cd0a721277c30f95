import { PipelineError, type Pipeline } from '../index.ts'

/** What an action is told with each message. */
export interface SendOptions {
  signal: AbortSignal
  /** The same for all messages of a run: they share a rate budget and credentials. */
  together: object
  /** The same for the same row of the same action, always. */
  idempotencyKey: string
}

/** Sends one message; `chatra.actions.pushMessage`, what `restAction` makes, or a function of one's own. */
export interface Send<Message> {
  (message: Message, options: SendOptions): Promise<unknown>
  /** The server takes a message with the same idempotency key only once, so one that may have arrived can be sent again. */
  readonly isIdempotent?: boolean
}

export interface ActionOptions<Row, Message> {
  /** Names the table of results, `<name>_results`, too: small letters, digits and _. */
  name: string
  /** Whose dataset has the rows, and gets the results: a pipeline, or the name of one that has run. */
  pipeline: string | Pipeline
  /** SQL for the rows. */
  rows: string
  /** The column of the query that tells rows apart: for each value, one message is sent, ever. */
  key: string
  /** The message for a row. It may be called for a dry run, so it only makes it. */
  message(row: Row): Message
  to: Send<Message>
  /** Messages under way at the same time. @default 1 */
  concurrency?: number
}

/** Rows that are sent to an API. */
export class Action {
  readonly name: string
  readonly options: ActionOptions<Record<string, unknown>, unknown>

  constructor(options: ActionOptions<Record<string, unknown>, unknown>) {
    const { name, concurrency = 1, rows, key } = options
    const wrong = (message: string, fix: string): PipelineError =>
      new PipelineError(`action: ${message}`, { code: 'WRONG_USE', fix })
    if (!/^[a-z][a-z0-9_]{0,40}$/.test(name))
      throw wrong(`"${name}" is no name`, "use small letters, digits and _: 'greet'")
    if (!Number.isInteger(concurrency) || concurrency < 1)
      throw wrong(`concurrency: ${concurrency}`, 'give a whole number')
    if (rows.trim() === '') throw wrong('rows is empty', "give a query: rows: 'select id, text from greetings'")
    if (key.trim() === '') throw wrong('key is empty', 'name the column of the query that tells rows apart')
    this.name = name
    this.options = options
  }

  /** The table of its results, in the dataset of the rows. */
  get table(): string {
    return `${this.name}_results`
  }
}

/** Declares an action: `sluice send <name>` sends it, where `sluice.actions.ts` exports it; `sendRows` does in code. */
export function action<Row extends object = Record<string, unknown>, Message = unknown>(
  options: ActionOptions<Row, Message>,
): Action {
  return new Action(options as unknown as ActionOptions<Record<string, unknown>, unknown>)
}
