/** `/` searches, `g` and a letter go to a page, `Esc` goes up. */
import { useLayoutEffect, useRef } from 'preact/hooks'
import { go, to, type Place } from './router.tsx'

export const pages = [
  { key: 'o', page: undefined, title: 'Overview' },
  { key: 'r', page: 'runs', title: 'Runs' },
  { key: 'd', page: 'data', title: 'Data' },
  { key: 'q', page: 'sql', title: 'SQL' },
  { key: 's', page: 'schema', title: 'Schema' },
  { key: 'a', page: 'requests', title: 'Requests' },
  { key: 't', page: 'state', title: 'State' },
  { key: 'p', page: 'packages', title: 'Packages' },
] as const

const nextKeyMs = 1500

export function useKeys(place: Place): void {
  const current = useRef(place)
  current.current = place
  useLayoutEffect(() => {
    let goes = 0
    const onKey = (event: KeyboardEvent): void => {
      const { parts } = current.current
      const field = event.target as HTMLElement
      const isTyping = field.matches('input, textarea, select, [contenteditable="true"]')
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      if (event.key === 'Escape') {
        if (isTyping) return field.blur()
        // A panel beside the page closes by itself.
        if (document.querySelector('[data-closes]') !== null || parts.length === 0) return
        const up = parts.slice(0, -1)
        return go(up.length < 2 ? '/' : to(...up))
      }
      if (isTyping) return
      if (event.key === '/') {
        event.preventDefault()
        return document.querySelector<HTMLInputElement>('#search')?.focus()
      }
      const isSecond = Date.now() - goes < nextKeyMs
      goes = event.key === 'g' ? Date.now() : 0
      if (!isSecond) return
      if (event.key === 'h') return go('/')
      const chosen = pages.find(({ key }) => key === event.key)
      if (chosen === undefined || parts[1] === undefined) return
      go(chosen.page === undefined ? to('p', parts[1]) : to('p', parts[1], chosen.page))
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}
