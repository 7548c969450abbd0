/** The small parts of the rule form: each shows one place of the JSON, changes it, and carries the mistakes of its path. */
import { useSignal } from "@preact/signals"
import type { ComponentChildren } from "preact"
import { useEffect, useId, useRef } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { mistakesAt } from "#client/state/rule-doc.ts"
import type { Path } from "#client/state/rule-doc.ts"
import { METRICS } from "#protocol/metric.ts"
import type { RuleMistake } from "#protocol/rest-generated.ts"
import { RULE_ENTITY_TYPES } from "#protocol/rule.ts"

/** What every part of the form is given. */
export interface Editing {
  readonly mistakes: readonly RuleMistake[]
  readonly readOnly: boolean
}

export const Mistakes = ({ editing, path, id }: { editing: Editing; path: Path; id?: string }) => {
  const texts = mistakesAt(editing.mistakes, path)
  return texts.length === 0 ? null : (
    <p class="mistake" id={id} lang="en">
      {texts.join("; ")}
    </p>
  )
}

interface CommonProps {
  readonly editing: Editing
  readonly path: Path
  readonly label: string
  readonly hint?: string
}
type Control = {
  readonly "aria-invalid": boolean
  readonly "aria-describedby": string | undefined
  readonly disabled: boolean
}
const Labelled = (props: CommonProps & { wide?: boolean; children: (control: Control) => ComponentChildren }) => {
  const id = useId()
  const wrong = mistakesAt(props.editing.mistakes, props.path).length > 0
  return (
    <div class={`rule-field ${props.wide === true ? "wide" : ""} ${wrong ? "wrong" : ""}`}>
      <label>
        <span>{props.label}</span>
        {props.children({
          "aria-invalid": wrong,
          "aria-describedby": wrong ? id : undefined,
          disabled: props.editing.readOnly,
        })}
      </label>
      {props.hint !== undefined && <p class="field-hint">{props.hint}</p>}
      <Mistakes editing={props.editing} path={props.path} id={id} />
    </div>
  )
}

export const TextPart = (
  props: CommonProps & {
    value: unknown
    set: (value: string) => void
    wide?: boolean
    mono?: boolean
    lines?: number
    readOnly?: boolean
  },
) => (
  <Labelled {...props}>
    {(control) => {
      const value = typeof props.value === "string" ? props.value : ""
      const common = {
        ...control,
        class: props.mono === true ? "mono" : "",
        readOnly: props.readOnly === true,
        spellcheck: false,
        value,
      }
      return props.lines === undefined ? (
        <input type="text" autocomplete="off" {...common} onInput={(event) => props.set(event.currentTarget.value)} />
      ) : (
        <textarea rows={props.lines} {...common} onInput={(event) => props.set(event.currentTarget.value)} />
      )
    }}
  </Labelled>
)

/** Keeps what is being typed ("8.") until it is a number; an emptied field takes the key away. */
export const NumberPart = (
  props: CommonProps & {
    value: unknown
    set: (value: number | undefined) => void
    unit?: string
    min?: number
    narrow?: boolean
  },
) => {
  const given = typeof props.value === "number" ? String(props.value) : ""
  const text = useSignal(given)
  const typing = useRef(false)
  useEffect(() => {
    if (!typing.current || Number(text.peek()) !== Number(given)) text.value = given
  }, [given])
  return (
    <Labelled {...props}>
      {(control) => (
        <span class="with-unit">
          <input
            type="text"
            inputMode="decimal"
            class="num"
            {...control}
            value={text.value}
            onFocus={() => (typing.current = true)}
            onBlur={() => {
              typing.current = false
              text.value = given
            }}
            onInput={(event) => {
              text.value = event.currentTarget.value
              const typed = text.value.trim().replace(",", ".")
              const number = Number(typed)
              if (typed === "") props.set(undefined)
              else if (Number.isFinite(number)) props.set(number)
            }}
          />
          {props.unit !== undefined && props.unit !== "" && <i>{props.unit}</i>}
        </span>
      )}
    </Labelled>
  )
}

export const WordPart = (
  props: CommonProps & {
    value: unknown
    set: (value: string) => void
    options: readonly { readonly value: string; readonly label: string }[]
  },
) => {
  const value = typeof props.value === "string" ? props.value : ""
  // What the text says and the list does not know is shown as it is, not silently as something else.
  const known = props.options.some((one) => one.value === value)
  return (
    <Labelled {...props}>
      {(control) => (
        <select {...control} value={value} onChange={(event) => props.set(event.currentTarget.value)}>
          {!known && <option value={value}>{value === "" ? "—" : value}</option>}
          {props.options.map((one) => (
            <option key={one.value} value={one.value}>
              {one.label}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  )
}

/** All metrics by what they belong to, with their unit. */
export const MetricPart = (props: CommonProps & { value: unknown; set: (value: string) => void }) => {
  const value = typeof props.value === "string" ? props.value : ""
  const known = METRICS.some(({ name }) => name === value)
  return (
    <Labelled {...props}>
      {(control) => (
        <select class="mono" {...control} value={value} onChange={(event) => props.set(event.currentTarget.value)}>
          {!known && <option value={value}>{value === "" ? "—" : value}</option>}
          {RULE_ENTITY_TYPES.map((kind) => (
            <optgroup key={kind} label={t(`entityKind.${kind}`)}>
              {METRICS.filter(({ entity }) => entity === kind).map(({ name, unit }) => (
                <option key={name} value={name}>
                  {unit === "" ? name : `${name}  (${unit})`}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      )}
    </Labelled>
  )
}

export const FlagPart = (props: CommonProps & { value: unknown; set: (value: boolean | undefined) => void }) => (
  <div class="rule-field">
    <label class="choice">
      <input
        type="checkbox"
        disabled={props.editing.readOnly}
        checked={props.value === true}
        onChange={(event) => props.set(event.currentTarget.checked ? true : undefined)}
      />
      <span>{props.label}</span>
    </label>
    <Mistakes editing={props.editing} path={props.path} />
  </div>
)
