/** The part of a long grid that is in sight: how far it is scrolled, how high it is, and the keyboard's row kept inside. */
import { useSignal } from "@preact/signals"
import type { Signal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import type { RefObject } from "preact"

export interface RowWindow {
  /** Of the element that scrolls. */
  readonly body: RefObject<HTMLDivElement | null>
  /** Pixels, to be written when it scrolls. */
  readonly top: Signal<number>
  readonly height: Signal<number>
}

/** `at`: index of the keyboard's row, -1 = none; it is scrolled to when its `key` changes. */
export const useRowWindow = (at: number, key: string | null, rowPx: number, headPx: number): RowWindow => {
  const body = useRef<HTMLDivElement>(null)
  const top = useSignal(0)
  const height = useSignal(600)
  useEffect(() => {
    const element = body.current
    if (element === null) return
    const resized = new ResizeObserver(() => (height.value = element.clientHeight))
    resized.observe(element)
    return () => resized.disconnect()
  }, [])
  useEffect(() => {
    const element = body.current
    if (element === null || at < 0) return
    const y = at * rowPx
    if (y < element.scrollTop) element.scrollTop = y
    else if (y + rowPx + headPx > element.scrollTop + element.clientHeight)
      element.scrollTop = y + rowPx + headPx - element.clientHeight
  }, [key])
  return { body, top, height }
}
