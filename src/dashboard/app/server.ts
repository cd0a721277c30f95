/** Asks the dashboard's server, and keeps what it said last. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ApiError } from '../api.ts'

const tokenKey = 'sluice token'

/** The token comes behind the `#` of the link, which is then taken out of the address. */
export function takeToken(): void {
  const token = /^#([0-9a-f]{32})$/.exec(location.hash)?.[1]
  if (token === undefined) return
  localStorage.setItem(tokenKey, token)
  history.replaceState(null, '', location.pathname + location.search)
}

export class Refused extends Error {
  readonly fix: string
  readonly code: string
  constructor({ error }: ApiError) {
    super(error.message)
    this.code = error.code
    this.fix = error.fix
  }
}

/** `path` begins with the pipeline or what else stands behind `/api/`; its parts are encoded already. */
export async function ask<T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  return (await answered(path, body, signal)).json() as Promise<T>
}

/** An answer that is a file. */
export const askFile = async (path: string, body: unknown): Promise<Blob> => (await answered(path, body)).blob()

async function answered(path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  let response: Response
  try {
    response = await fetch(`/api/${path}`, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
      headers: { authorization: `Bearer ${localStorage.getItem(tokenKey) ?? ''}` },
    })
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw new Refused({
      error: {
        code: 'GONE',
        message: 'the dashboard’s server does not answer',
        fix: 'start it again: sluice dashboard',
      },
    })
  }
  // A token that is refused is of no use to this page, and may be to another program on this port.
  if (response.status === 403) localStorage.removeItem(tokenKey)
  if (!response.ok) throw new Refused((await response.json()) as ApiError)
  return response
}

export const pipelinePath = (pipeline: string, ...parts: string[]): string =>
  ['pipelines', pipeline, ...parts].map(encodeURIComponent).join('/')

/** `after` only says why one asks again. */
const plain = (path: string): string => path.replace(/\?after=.*$/, '')

export interface Answer<T> {
  data: T | undefined
  error: Refused | undefined
  /** The answer is for another path, or on its way for so long that one should say so. */
  isLate: boolean
}

/** Asks when the path changes and then every `every` ms, while the page is looked at. What it said stays until it says more. */
export function useAnswer<T>(path: string | undefined, every?: number): Answer<T> {
  const [state, setState] = useState<{ path?: string | undefined; data?: T; error?: Refused }>({})
  const [isLate, setLate] = useState(false)
  const [turn, setTurn] = useState(0)
  const last = useRef('')
  const isAsking = useRef(false)
  useEffect(() => {
    if (path === undefined) return
    isAsking.current = true
    const stop = new AbortController()
    const late = setTimeout(() => setLate(true), 200)
    const read = async (): Promise<void> => {
      try {
        const data = await ask<T>(path, undefined, stop.signal)
        const text = path + JSON.stringify(data)
        // The same again must not draw anything anew.
        if (text !== last.current) setState({ path, data })
        last.current = text
      } catch (error) {
        if (stop.signal.aborted) return
        last.current = ''
        setState((known) => {
          const data = plain(known.path ?? '') === plain(path) ? known.data : undefined
          return { path, ...(data === undefined ? {} : { data }), error: error as Refused }
        })
      }
      clearTimeout(late)
      if (stop.signal.aborted) return
      isAsking.current = false
      setLate(false)
    }
    void read()
    return () => {
      clearTimeout(late)
      stop.abort()
    }
  }, [path, turn])
  useEffect(() => {
    if (every === undefined) return
    const timer = setInterval(() => {
      // A slow answer is waited for.
      if (document.visibilityState === 'visible' && !isAsking.current) setTurn((one) => one + 1)
    }, every)
    return () => clearInterval(timer)
  }, [every])
  const isSame =
    state.path === path || (path !== undefined && state.path !== undefined && plain(state.path) === plain(path))
  return {
    data: isSame ? state.data : undefined,
    error: isSame ? state.error : undefined,
    isLate,
  }
}
