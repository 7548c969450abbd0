/** Several of very many: what is chosen stands as chips, what is typed finds more; Enter takes the first, Backspace the last back. */
import { useSignal } from "@preact/signals"
import { useId } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { plain } from "#client/state/search.ts"
import { CloseIcon } from "#client/ui/icons.tsx"

export interface Pickable {
  readonly value: string
  readonly label: string
}
/** Offers at a time; typing more narrows them. */
const OFFERS = 8

export const ChipPicker = (props: {
  label: string
  placeholder: string
  chosen: readonly string[]
  /** All there are; empty with `free` = anything may be typed. */
  options: readonly Pickable[]
  free?: boolean
  mono?: boolean
  readOnly: boolean
  set: (chosen: readonly string[]) => void
}) => {
  const id = useId()
  const text = useSignal("")
  const open = useSignal(false)
  const words = plain(text.value).split(/\s+/).filter(Boolean)
  const offers = props.options
    .filter(
      ({ value, label }) =>
        !props.chosen.includes(value) && words.every((word) => plain(`${label} ${value}`).includes(word)),
    )
    .slice(0, OFFERS)
  const labelOf = (value: string) => props.options.find((one) => one.value === value)?.label ?? value
  const add = (value: string) => {
    text.value = ""
    if (value !== "" && !props.chosen.includes(value)) props.set([...props.chosen, value])
  }
  return (
    <div class="chip-picker">
      <label for={id}>{props.label}</label>
      <div class="chip-box">
        {props.chosen.map((value) => (
          <span key={value} class={`chip picked ${props.mono === true ? "mono" : ""}`}>
            {labelOf(value)}
            {!props.readOnly && (
              <button
                type="button"
                aria-label={t("chip.remove", { name: labelOf(value) })}
                onClick={() => props.set(props.chosen.filter((one) => one !== value))}
              >
                <CloseIcon />
              </button>
            )}
          </span>
        ))}
        {!props.readOnly && (
          <input
            id={id}
            type="text"
            autocomplete="off"
            spellcheck={false}
            placeholder={props.chosen.length === 0 ? props.placeholder : ""}
            value={text.value}
            onFocus={() => (open.value = true)}
            onBlur={() => {
              open.value = false
              if (props.free === true) add(text.peek().trim())
            }}
            onInput={(event) => (text.value = event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" || (event.key === "," && props.free === true)) {
                event.preventDefault()
                add(props.free === true ? text.peek().trim() : text.peek() === "" ? "" : (offers[0]?.value ?? ""))
              } else if (event.key === "Backspace" && text.peek() === "") props.set(props.chosen.slice(0, -1))
            }}
          />
        )}
      </div>
      {open.value && offers.length > 0 && (
        <ul class="chip-offers panel">
          {offers.map(({ value, label }) => (
            <li key={value}>
              <button
                type="button"
                tabIndex={-1}
                // The field keeps the focus: a blur would close the list before the click.
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => add(value)}
              >
                {label}
                {label !== value && <small class="mono quiet">{value}</small>}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
