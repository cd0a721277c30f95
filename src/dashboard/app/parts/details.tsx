import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

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
  const panel = useRef<HTMLElement>(null)
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || (event.target as HTMLElement).matches('input, textarea, [contenteditable="true"]'))
        return
      event.preventDefault()
      onClose()
    }
    addEventListener('keydown', onKey, { capture: true })
    return () => removeEventListener('keydown', onKey, { capture: true })
  }, [onClose])
  return (
    <aside class={wide ? 'details wide' : 'details'} ref={panel} data-closes aria-label={title}>
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
