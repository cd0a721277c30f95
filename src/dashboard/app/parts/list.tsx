import type { ComponentChildren, JSX } from 'preact'

/** The head of a column: a name, or what else there is to say about it. */
export type Head = string | { title: string; isNumber?: boolean; span?: number; isUnseen?: boolean }

export const number = (title: string): Head => ({ title, isNumber: true })
/** Read out, and not drawn. */
export const unseen = (title: string): Head => ({ title, isUnseen: true })

interface Props {
  heads: readonly Head[]
  /** In a frame of its own, below whose head the rows scroll. */
  isFramed?: boolean
  children: ComponentChildren
}

/** Rows below their heads; where they are wider than the page, they scroll. */
export const List = ({ heads, isFramed = false, children }: Props): JSX.Element => (
  <div class={isFramed ? 'scrolls framed' : 'scrolls'}>
    <table class="list">
      <thead>
        <tr>
          {heads.map((head, at) => {
            const {
              title,
              isNumber = false,
              span,
              isUnseen = false,
            } = typeof head === 'string' ? { title: head } : head
            return (
              <th key={at} class={isNumber ? 'number' : ''} {...(span === undefined ? {} : { colSpan: span })}>
                {isUnseen ? <span class="unseen">{title}</span> : title}
              </th>
            )
          })}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </div>
)
