/**
 * A list of thousands of rows as a grid of which only the visible ones are in the page. One row is the keyboard's: it is
 * moved by j, k, the arrows, Page, Home and End, and Enter opens it. What stands in a row is its screen's own business.
 */
import type { Signal } from "@preact/signals"
import type { ComponentChildren } from "preact"
import { useEffect } from "preact/hooks"
import { sliceOf, stepped } from "#client/state/alert-list.ts"
import { useRowWindow } from "#client/ui/row-window.ts"

/** What every row of a grid says of itself. */
export interface RowPlace {
  readonly id: string
  /** 1-based, after the head. */
  readonly "aria-rowindex": number
  /** The keyboard is here. */
  readonly "aria-selected": boolean
  readonly onClick: () => void
}

interface GridListProps<R> {
  /** Prefix of the rows' element ids. */
  readonly name: string
  readonly class?: string
  /** Element id of the heading that names the list. */
  readonly labelledBy: string
  readonly rows: readonly R[]
  readonly rowPx: number
  readonly headPx?: number
  readonly columns: readonly string[]
  readonly keyOf: (row: R) => string
  /** Key of the row that the keyboard is on; null = none yet. */
  readonly cursor: Signal<string | null>
  /** Enter or a press. */
  readonly open: (row: R) => void
  /** The keyboard came to it. */
  readonly moved?: (row: R) => void
  /** A key of the screen's own; true = it was meant. */
  readonly onKey?: (key: string, row: R) => boolean
  readonly row: (row: R, place: RowPlace) => ComponentChildren
}

const HEAD_PX = 34

export const GridList = <R,>(props: GridListProps<R>) => {
  const { name, rows, rowPx, headPx = HEAD_PX, columns, keyOf, cursor } = props
  const at = rows.findIndex((row) => keyOf(row) === cursor.value)
  const { body, top, height } = useRowWindow(at, cursor.value, rowPx, headPx)
  // Whoever comes back to a list goes on where the keyboard was: what had the focus has left the page.
  useEffect(() => {
    if (at >= 0 && document.activeElement === document.body) body.current?.focus({ preventScroll: true })
  }, [])
  const move = (step: number) => {
    const row = rows[stepped(rows.length, at, step)]
    if (row === undefined) return
    cursor.value = keyOf(row)
    props.moved?.(row)
  }
  const open = (row: R) => {
    cursor.value = keyOf(row)
    props.open(row)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const row = rows[at]
    const step = stepOf(event.key, rows.length, Math.max(1, Math.floor(height.value / rowPx) - 1))
    if (step !== null) move(step)
    else if (row === undefined) return
    else if (event.key === "Enter") open(row)
    else if (props.onKey?.(event.key, row) !== true) return
    event.preventDefault()
    event.stopPropagation()
  }
  const { first, end } = sliceOf(rows.length, top.value, height.value, rowPx)
  return (
    <div class="alert-list" data-list>
      <div
        ref={body}
        class={`grid panel alerts-grid ${props.class ?? ""}`}
        role="grid"
        tabIndex={0}
        data-row
        aria-labelledby={props.labelledBy}
        aria-rowcount={rows.length + 1}
        aria-activedescendant={at < 0 ? undefined : `${name}-row-${at}`}
        onScroll={(event) => (top.value = event.currentTarget.scrollTop)}
        onKeyDown={onKeyDown}
        onFocus={() => {
          if (at < 0) move(1)
        }}
      >
        <div class="grid-head" role="row" aria-rowindex={1}>
          {columns.map((column) => (
            <span key={column} role="columnheader">
              {column}
            </span>
          ))}
        </div>
        <div role="rowgroup" style={{ height: `${rows.length * rowPx}px` }}>
          <div role="presentation" style={{ transform: `translateY(${first * rowPx}px)` }}>
            {rows.slice(first, end).map((row, nth) =>
              props.row(row, {
                id: `${name}-row-${first + nth}`,
                "aria-rowindex": first + nth + 2,
                "aria-selected": first + nth === at,
                onClick: () => open(row),
              }),
            )}
          </div>
        </div>
      </div>
    </div>
  )
}

/** Null = no key that moves. */
const stepOf = (key: string, count: number, page: number): number | null => {
  switch (key) {
    case "ArrowDown":
    case "j":
      return 1
    case "ArrowUp":
    case "k":
      return -1
    case "PageDown":
      return page
    case "PageUp":
      return -page
    case "Home":
      return -count
    case "End":
      return count
    default:
      return null
  }
}
