/** What is shown once and never again (a key, an invitation, recovery codes): to copy, and to confirm that it was kept. */
import { useSignal } from "@preact/signals"
import { useRef } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { Dialog } from "#client/ui/dialog.tsx"

export const Copyable = ({ text, label }: { text: string; label: string }) => {
  const box = useRef<HTMLElement>(null)
  const copied = useSignal(false)
  const copy = async () => {
    copied.value = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    )
    // Without the clipboard (plain http) the text is marked, ready for Ctrl C.
    if (copied.value !== true && box.current !== null) getSelection()?.selectAllChildren(box.current)
  }
  return (
    <div class="copyable">
      <code ref={box} class="mono" tabIndex={0} role="group" aria-label={label}>
        {text}
      </code>
      <button type="button" class="button" onClick={() => void copy()}>
        {t(copied.value === true ? "once.copied" : "once.copy")}
      </button>
    </div>
  )
}

export const OnceDialog = (props: { title: string; why: string; text: string; close: () => void }) => (
  <Dialog title={props.title} close={props.close} keepOpen>
    <p class="notice">{props.why}</p>
    <Copyable text={props.text} label={props.title} />
    <div class="form-end">
      <button type="button" class="primary" onClick={props.close}>
        {t("once.kept")}
      </button>
    </div>
  </Dialog>
)

/** Offers bytes that are here already as a file; nothing leaves the page. */
export const saveFile = (name: string, type: string, text: string): void => {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement("a")
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
