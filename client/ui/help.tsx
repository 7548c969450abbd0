/** All keyboard shortcuts, behind `?`. Single keys can be switched off here (WCAG 2.1.4). */
import { useEffect, useRef } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import type { Key } from "#client/i18n/translate.ts"
import { screenOpen } from "#client/state/places.ts"
import { formatRoute } from "#client/state/route.ts"
import { singleKeys } from "#client/state/settings.ts"
import { CloseIcon } from "#client/ui/icons.tsx"
import { helpOpen, SHORTCUTS } from "#client/ui/shortcuts.ts"
import type { Shortcut } from "#client/ui/shortcuts.ts"

const ALWAYS: readonly { keys: readonly string[]; text: Key }[] = [
  { keys: ["Ctrl K", "⌘ K"], text: "help.search" },
  { keys: ["↑", "↓"], text: "help.next" },
  { keys: ["Enter"], text: "help.open.item" },
  { keys: ["Esc"], text: "help.escape" },
]

export const Help = () => {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (helpOpen.value) dialog.current?.showModal()
    else dialog.current?.close()
  }, [helpOpen.value])
  return (
    <dialog ref={dialog} class="help panel" aria-labelledby="help-title" onClose={() => (helpOpen.value = false)}>
      <header class="side-head">
        <h2 id="help-title">{t("help.title")}</h2>
        <button type="button" class="icon-button" aria-label={t("help.close")} onClick={() => (helpOpen.value = false)}>
          <CloseIcon />
        </button>
      </header>
      <Keys rows={ALWAYS} />
      <label class="switch">
        <input
          type="checkbox"
          checked={singleKeys.value}
          onChange={(event) => (singleKeys.value = event.currentTarget.checked)}
        />
        <span>
          {t("help.single")}
          <small class="quiet">{t("help.single.why")}</small>
        </span>
      </label>
      <Keys rows={SHORTCUTS.filter(isOpen).map(({ keys, text }) => ({ keys: keys.map(keyName), text }))} />
      {screenOpen("setup") && (
        <p class="help-more">
          <a
            class="text-button"
            href={formatRoute({ screen: "setup", tab: null, selection: null, camera: null })}
            onClick={() => (helpOpen.value = false)}
          >
            {t("setup.open")}
          </a>
        </p>
      )}
    </dialog>
  )
}

/** A key that leads to a screen that is not open is not offered. */
const isOpen = ({ screen, on }: Shortcut): boolean =>
  (screen === undefined || screenOpen(screen)) && (on === undefined || screenOpen(on))

const KEY_NAMES: Readonly<Record<string, string>> = { " ": "␣", ArrowLeft: "←", ArrowRight: "→" }
const keyName = (key: string): string => KEY_NAMES[key] ?? key

const Keys = ({ rows }: { rows: readonly { keys: readonly string[]; text: Key }[] }) => (
  <dl class="keys">
    {rows.map(({ keys, text }) => (
      <div key={`${text} ${keys[0]}`}>
        <dt>
          {keys.map((key) => (
            <kbd key={key}>{key}</kbd>
          ))}
        </dt>
        <dd>{t(text)}</dd>
      </div>
    ))}
  </dl>
)
