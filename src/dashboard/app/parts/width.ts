import type { RefObject } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

/** The width of the place that something is drawn in. */
export function useWidth<Place extends Element>(): [RefObject<Place | null>, number] {
  const place = useRef<Place>(null)
  const [width, setWidth] = useState(480)
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(entry!.contentRect.width, 160)))
    observer.observe(place.current!)
    return () => observer.disconnect()
  }, [])
  return [place, width]
}
