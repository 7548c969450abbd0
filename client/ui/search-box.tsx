/** Search from everywhere (Ctrl-K or /) over devices, links and sites. */
import { t } from "#client/i18n/translate.ts"
import { MARKS, markOfByte } from "#client/map/mark.ts"
import { twin } from "#client/state/app.ts"
import { go } from "#client/state/route.ts"
import { search } from "#client/state/search.ts"
import type { Found } from "#client/state/search.ts"
import { siteView } from "#client/state/site-view.ts"
import { Combobox } from "#client/ui/combobox.tsx"
import { MarkIcon } from "#client/ui/icons.tsx"
import { setSearchInput } from "#client/ui/search-focus.ts"

const isMac = navigator.platform.startsWith("Mac")

export const SearchBox = () => (
  <Combobox
    id="search"
    label={t("search.label")}
    placeholder={t("search.placeholder")}
    find={(query) => (twin.value === null ? [] : search(twin.value, query))}
    keyOf={({ kind, id }) => `${kind}${id}`}
    choose={choose}
    row={(found) => (
      <>
        <FoundMark found={found} />
        <span class="grow ellipsis">{found.title}</span>
        <span class="quiet">{found.detail || t(`search.kind.${found.kind}`)}</span>
      </>
    )}
    leave
    input={setSearchInput}
  >
    <kbd>{isMac ? "⌘K" : "Ctrl K"}</kbd>
  </Combobox>
)

const choose = (found: Found): void => {
  if (found.kind === "site") siteView.value = { ...found, at: Date.now() }
  else go({ selection: { kind: found.kind, id: found.id } })
}

const FoundMark = ({ found }: { found: Found }) => {
  const state = twin.value
  if (state === null || found.kind === "site") return <span class="mark-gap" />
  const byte = found.kind === "device" ? state.nodes.status[found.slot] : state.links.status[found.slot]
  return <MarkIcon mark={MARKS[markOfByte(byte ?? 0)] ?? "unknown"} />
}
