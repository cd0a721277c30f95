import { setBodyValue, setParams, setPathValue, type RestRequest } from '../request.ts'

/** Where a value of the paging goes; nothing given: a query parameter of the usual name. */
export interface Place {
  param?: string | undefined
  bodyPath?: string | undefined
  header?: string | undefined
}

/** Writes values to one place. A `{name}` in the path stands for the parameter of that name. */
export function writerTo(
  { param, bodyPath, header }: Place,
  standard: string,
): (request: RestRequest, value: unknown) => void {
  if (bodyPath !== undefined) return (request, value) => setBodyValue(request, bodyPath, value)
  if (header !== undefined) {
    return (request, value) => {
      request.headers[header] = String(value)
    }
  }
  const name = param ?? standard
  return (request, value) => {
    if (!setPathValue(request, name, value)) setParams(request.url, { [name]: value })
  }
}
