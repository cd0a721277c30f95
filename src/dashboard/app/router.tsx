/** Every view has a path of its own. */
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'

const changed = 'sluice:path'

export function go(path: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') history.pushState(null, '', path)
  else history.replaceState(null, '', path)
  dispatchEvent(new Event(changed))
}

export interface Place {
  /** The parts of the path, decoded. */
  parts: string[]
  query: URLSearchParams
}

const here = (): string => location.pathname + location.search

export function usePlace(): Place {
  const [path, setPath] = useState(here)
  useEffect(() => {
    const follow = (): void => setPath(here())
    addEventListener('popstate', follow)
    addEventListener(changed, follow)
    return () => {
      removeEventListener('popstate', follow)
      removeEventListener(changed, follow)
    }
  }, [])
  const url = new URL(path, location.origin)
  return { parts: url.pathname.split('/').filter(Boolean).map(decodeURIComponent), query: url.searchParams }
}

export const to = (...parts: string[]): string => `/${parts.map(encodeURIComponent).join('/')}`

interface LinkProps {
  href: string
  children: ComponentChildren
  class?: string
  title?: string | undefined
  'aria-current'?: 'page' | undefined
}

/** A link that changes the view without loading the page anew. */
export function Link({ href, children, ...others }: LinkProps): JSX.Element {
  return (
    <a
      {...others}
      href={href}
      onClick={(event) => {
        if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
        event.preventDefault()
        go(href)
      }}
    >
      {children}
    </a>
  )
}
