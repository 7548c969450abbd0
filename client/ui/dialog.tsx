/**
 * A modal dialog: the browser's own, so that focus stays inside, Escape closes it and the page behind is inert. Focus
 * goes back to what opened it, also when the whole dialog leaves the page.
 */
import type { ComponentChildren } from "preact"
import { useEffect, useId, useRef } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { CloseIcon } from "#client/ui/icons.tsx"

/** What opened the newest dialog of the page. */
let onPage: HTMLElement | null = null

export const Dialog = (props: {
  title: string
  close: () => void
  wide?: boolean
  /** A secret is shown this once: a stray Escape must not lose it. */
  keepOpen?: boolean
  children: ComponentChildren
}) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const active = document.activeElement
    // One dialog may take another's place: then what opened the first is where the focus belongs.
    if (active instanceof HTMLElement && active !== document.body && active.closest("dialog") === null) onPage = active
    const opener = active
    const element = dialog.current
    element?.showModal()
    return () => {
      // While it is open the page behind is inert and takes no focus; its own end is nobody's wish to close again.
      element?.addEventListener("close", (event) => event.stopImmediatePropagation(), { capture: true })
      element?.close()
      const home = opener instanceof HTMLElement && opener !== document.body && opener.isConnected ? opener : onPage
      home?.focus()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      class={`dialog panel ${props.wide === true ? "wide" : ""}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        if (props.keepOpen !== true) props.close()
      }}
      onClose={props.close}
      // The page's own Escape would close the panel behind.
      onKeyDown={(event) => event.stopPropagation()}
    >
      <header class="side-head">
        <h2 id={id}>{props.title}</h2>
        {props.keepOpen !== true && (
          <button type="button" class="icon-button" aria-label={t("help.close")} onClick={props.close}>
            <CloseIcon />
          </button>
        )}
      </header>
      <div class="dialog-body">{props.children}</div>
    </dialog>
  )
}
