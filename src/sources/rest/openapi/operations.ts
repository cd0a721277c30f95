import { isNode, type ApiDocument, type Node } from './document.ts'
import { findRows, type Rows } from './rows.ts'

export interface Parameter {
  name: string
  in: string
  required: boolean
  schema: Node
  description: string
}

/** An operation that reads rows. */
export interface ReadOperation {
  path: string
  summary: string
  parameters: Parameter[]
  rows: Rows
  /** Names of the headers of its answer, in small letters. */
  headers: string[]
  answer: Node
  security: unknown
}

export interface Operations {
  reads: ReadOperation[]
  /** What is left out, and how many. */
  leftOut: Map<string, number>
}

const methods = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options', 'trace']

/** All operations that answer with rows. */
export function readOperations(document: ApiDocument, chosen: (path: string, tags: string[]) => boolean): Operations {
  const reads: ReadOperation[] = []
  const leftOut = new Map<string, number>()
  const leave = (why: string): void => void leftOut.set(why, (leftOut.get(why) ?? 0) + 1)
  for (const [path, given] of Object.entries(document.root.paths as Node)) {
    const item = document.at(given)
    for (const method of methods) {
      if (!isNode(item[method])) continue
      const operation = document.at(item[method])
      const tags = Array.isArray(operation.tags) ? operation.tags.map(String) : []
      if (!chosen(path, tags)) continue
      if (method !== 'get') leave('write, or are no GET')
      else if (operation.deprecated === true) leave('are deprecated')
      else readOne(document, path, item, operation, reads, leave)
    }
  }
  return { reads, leftOut }
}

function readOne(
  document: ApiDocument,
  path: string,
  item: Node,
  operation: Node,
  reads: ReadOperation[],
  leave: (why: string) => void,
): void {
  const response = successOf(document, operation)
  const answer = response === undefined ? undefined : answerSchema(document, response)
  const rows = answer === undefined ? undefined : findRows(document, answer, path.endsWith('}'))
  if (answer === undefined || rows === undefined) return leave('answer without rows')
  reads.push({
    path,
    summary: typeof operation.summary === 'string' ? operation.summary : '',
    parameters: parametersOf(document, item, operation),
    rows,
    headers: Object.keys(document.at(response!.headers)).map((name) => name.toLowerCase()),
    answer,
    security: operation.security ?? document.root.security,
  })
}

function successOf(document: ApiDocument, operation: Node): Node | undefined {
  const responses = document.at(operation.responses)
  const status = ['200', '2XX', '2xx', '206', 'default'].find((one) => one in responses)
  return status === undefined ? undefined : document.at(responses[status])
}

function answerSchema(document: ApiDocument, response: Node): Node | undefined {
  if (document.isSwagger2) return isNode(response.schema) ? document.at(response.schema) : undefined
  const content = document.at(response.content)
  const type = Object.keys(content).find((one) => /^application\/([\w.-]+\+)?json\b|^\*\/\*$/.test(one))
  if (type === undefined) return undefined
  const { schema } = document.at(content[type])
  return isNode(schema) ? document.at(schema) : undefined
}

/** Of the operation and of its path; the operation's win. */
function parametersOf(document: ApiDocument, item: Node, operation: Node): Parameter[] {
  const byName = new Map<string, Parameter>()
  for (const one of [...document.list(item.parameters), ...document.list(operation.parameters)]) {
    if (typeof one.name !== 'string' || typeof one.in !== 'string') continue
    byName.set(`${one.in} ${one.name}`, {
      name: one.name,
      in: one.in,
      required: one.required === true,
      // Swagger 2 writes the type beside the name.
      schema: isNode(one.schema) ? document.at(one.schema) : one,
      description: typeof one.description === 'string' ? one.description : '',
    })
  }
  return [...byName.values()]
}
