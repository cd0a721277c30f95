import { PipelineError } from '../index.ts'
import { RestWriter, type ClientSpec, type Write } from '../sources/rest/index.ts'
import type { Send, SendOptions } from './action.ts'

/** A request that writes; the method as text, so that a literal in a function's result is one. */
export interface RestMessage extends Omit<Write, 'method' | 'isIdempotent'> {
  /** POST, PUT, PATCH or DELETE. @default 'POST' */
  method?: string
}

const methods = ['POST', 'PUT', 'PATCH', 'DELETE'] as const

function methodOf({ method = 'POST' }: RestMessage): (typeof methods)[number] {
  const found = methods.find((one) => one === method)
  if (found !== undefined) return found
  throw new PipelineError(`method: "${method}" does not write`, {
    code: 'WRONG_USE',
    fix: `use one of: ${methods.join(', ')}`,
  })
}

/**
 * Sends to any API: `message` of the action gives method, path and body. With `idempotencyHeader` (`Idempotency-Key`), where the
 * API knows one, a message that may have arrived is sent again.
 */
export function restAction({
  name,
  client,
  idempotencyHeader,
}: {
  /** Where secrets stand: `[sources.<name>]`. */
  name: string
  client: ClientSpec
  idempotencyHeader?: string
}): Send<RestMessage> {
  const writers = new WeakMap<object, RestWriter>()
  const isIdempotent = idempotencyHeader !== undefined
  const send = async (message: RestMessage, { signal, together, idempotencyKey }: SendOptions): Promise<unknown> => {
    let writer = writers.get(together)
    if (writer === undefined) {
      writer = new RestWriter(client, { section: name, name })
      writers.set(together, writer)
    }
    const headers = isIdempotent ? { ...message.headers, [idempotencyHeader]: idempotencyKey } : message.headers
    return writer.send(
      { ...message, method: methodOf(message), isIdempotent, ...(headers === undefined ? {} : { headers }) },
      signal,
    )
  }
  return Object.assign(send, { isIdempotent })
}
