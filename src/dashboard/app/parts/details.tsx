import type { ComponentChildren, JSX } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

/** Details beside what they belong to. `Esc` closes them. */
export function Details({
  title,
  onClose,
  wide = false,
  children,
}: {
  title: string
  onClose(): void
  wide?: boolean
  children: ComponentChildren
}): JSX.Element {
  const close = useRef(onClose)
  close.current = onClose
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const field = event.target as HTMLElement
      if (event.key !== 'Escape' || field.matches('input, textarea, [contenteditable="true"]')) return
      event.preventDefault()
      close.current()
    }
    addEventListener('keydown', onKey, { capture: true })
    return () => removeEventListener('keydown', onKey, { capture: true })
  }, [])
  return (
    <aside class={wide ? 'details wide' : 'details'} data-closes aria-label={title}>
      <div class="heading">
        <h2 class="cut" title={title}>
          {title}
        </h2>
        <button type="button" aria-label="Close" title="Close (Esc)" onClick={onClose}>
          ✕
        </button>
      </div>
      {children}
    </aside>
  )
}
