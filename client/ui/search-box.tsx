/** Search from everywhere (Ctrl-K or /): a combobox over devices, links and sites; arrows choose, Enter opens. */
import { useComputed, useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { MARKS, markOfByte } from "#client/map/mark.ts"
import { twin } from "#client/state/app.ts"
import { go } from "#client/state/route.ts"
import { search } from "#client/state/search.ts"
import type { Found } from "#client/state/search.ts"
import { siteView } from "#client/state/site-view.ts"
import { MarkIcon, SearchIcon } from "#client/ui/icons.tsx"
import { setSearchInput } from "#client/ui/search-focus.ts"

const isMac = navigator.platform.startsWith("Mac")

export const SearchBox = () => {
  const input = useRef<HTMLInputElement>(null)
  const query = useSignal("")
  const open = useSignal(false)
  const active = useSignal(0)
  const results = useComputed(() => (twin.value === null || !open.value ? [] : search(twin.value, query.value)))
  useEffect(() => {
    setSearchInput(input.current)
    return () => setSearchInput(null)
  }, [])
  const choose = (found: Found | undefined) => {
    if (found === undefined) return
    open.value = false
    query.value = ""
    input.current?.blur()
    if (found.kind === "site") siteView.value = { ...found, at: Date.now() }
    else go({ selection: { kind: found.kind, id: found.id } })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const count = results.value.length
    if (event.key === "ArrowDown") active.value = Math.min(count - 1, active.value + 1)
    else if (event.key === "ArrowUp") active.value = Math.max(0, active.value - 1)
    else if (event.key === "Enter") choose(results.value[active.value])
    else if (event.key === "Escape") {
      if (query.value === "") input.current?.blur()
      query.value = ""
    } else return
    event.preventDefault()
    event.stopPropagation()
  }
  const showing = open.value && query.value.trim() !== ""
  return (
    <div class="search" role="search">
      <SearchIcon />
      <input
        ref={input}
        type="text"
        role="combobox"
        aria-label={t("search.label")}
        aria-expanded={showing}
        aria-controls="search-results"
        aria-autocomplete="list"
        aria-activedescendant={showing && results.value.length > 0 ? `search-${active.value}` : undefined}
        placeholder={t("search.placeholder")}
        autocomplete="off"
        spellcheck={false}
        value={query.value}
        onInput={(event) => {
          query.value = event.currentTarget.value
          active.value = 0
          open.value = true
        }}
        onFocus={() => (open.value = true)}
        onBlur={() => (open.value = false)}
        onKeyDown={onKeyDown}
      />
      <kbd>{isMac ? "⌘K" : "Ctrl K"}</kbd>
      <ul id="search-results" class="search-results" role="listbox" aria-label={t("search.results")} hidden={!showing}>
        {showing &&
          results.value.map((found, index) => (
            <li
              key={`${found.kind}${found.id}`}
              id={`search-${index}`}
              role="option"
              aria-selected={index === active.value}
              onMouseDown={(event) => {
                event.preventDefault()
                choose(found)
              }}
              onMouseMove={() => (active.value = index)}
            >
              <FoundMark found={found} />
              <span class="grow ellipsis">{found.title}</span>
              <span class="quiet">{found.detail || t(`search.kind.${found.kind}`)}</span>
            </li>
          ))}
        {showing && results.value.length === 0 && (
          <li role="option" aria-selected={false} aria-disabled="true" class="quiet">
            {t("search.none", { query: query.value })}
          </li>
        )}
      </ul>
    </div>
  )
}

const FoundMark = ({ found }: { found: Found }) => {
  const state = twin.value
  if (state === null || found.kind === "site") return <span class="mark-gap" />
  const byte = found.kind === "device" ? state.nodes.status[found.slot] : state.links.status[found.slot]
  return <MarkIcon mark={MARKS[markOfByte(byte ?? 0)] ?? "unknown"} />
}
