/**
 * A field that finds things by name (the combobox pattern of ARIA): arrows choose, Enter takes, Escape empties and then
 * leaves. What is found, how a row looks and what taking one means is the caller's.
 */
import { useSignal } from "@preact/signals"
import type { ComponentChildren } from "preact"
import { useEffect, useRef } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { SearchIcon } from "#client/ui/icons.tsx"

export const Combobox = <H,>(props: {
  /** Prefix of the element ids. */
  id: string
  class?: string
  name?: string
  label: string
  placeholder: string
  /** What the words find; asked while the list is open only. */
  find: (query: string) => readonly H[]
  keyOf: (hit: H) => string
  choose: (hit: H) => void
  row: (hit: H) => ComponentChildren
  /** The list stands open before a word is typed. */
  eager?: boolean
  /** The field is left once something was taken. */
  leave?: boolean
  /** Told the field while it is on the page. */
  input?: (element: HTMLInputElement | null) => void
  children?: ComponentChildren
}) => {
  const { id, find, choose } = props
  const input = useRef<HTMLInputElement>(null)
  const query = useSignal("")
  const open = useSignal(false)
  const active = useSignal(0)
  useEffect(() => {
    props.input?.(input.current)
    return () => props.input?.(null)
  }, [])
  const hits = open.value ? find(query.value) : []
  const at = Math.max(0, Math.min(hits.length - 1, active.value))
  const showing = open.value && (query.value.trim() !== "" || props.eager === true)
  const take = (hit: H | undefined) => {
    if (hit === undefined) return
    query.value = ""
    active.value = 0
    open.value = false
    if (props.leave === true) input.current?.blur()
    choose(hit)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" && !open.peek()) open.value = true
    else if (event.key === "ArrowDown") active.value = Math.min(hits.length - 1, at + 1)
    else if (event.key === "ArrowUp") active.value = Math.max(0, at - 1)
    else if (event.key === "Enter") take(hits[at])
    else if (event.key === "Escape") {
      if (query.value === "") input.current?.blur()
      query.value = ""
    } else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div class={`search ${props.class ?? ""}`} role="search" aria-label={props.label}>
      <SearchIcon />
      <input
        ref={input}
        type="text"
        role="combobox"
        name={props.name}
        aria-label={props.label}
        aria-expanded={showing}
        aria-controls={`${id}-results`}
        aria-autocomplete="list"
        aria-activedescendant={showing && hits.length > 0 ? `${id}-${at}` : undefined}
        placeholder={props.placeholder}
        autocomplete="off"
        spellcheck={false}
        value={query.value}
        onInput={(event) => {
          query.value = event.currentTarget.value
          active.value = 0
          open.value = true
        }}
        onFocus={() => (open.value = true)}
        onClick={() => (open.value = true)}
        onBlur={() => (open.value = false)}
        onKeyDown={onKeyDown}
      />
      {props.children}
      <ul id={`${id}-results`} class="search-results" role="listbox" aria-label={t("search.results")} hidden={!showing}>
        {showing &&
          hits.map((hit, index) => (
            <li
              key={props.keyOf(hit)}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === at}
              onMouseDown={(event) => {
                event.preventDefault()
                take(hit)
              }}
              onMouseMove={() => (active.value = index)}
            >
              {props.row(hit)}
            </li>
          ))}
        {showing && hits.length === 0 && (
          <li role="option" aria-selected={false} aria-disabled="true" class="quiet">
            {t("search.none", { query: query.value })}
          </li>
        )}
      </ul>
    </div>
  )
}
