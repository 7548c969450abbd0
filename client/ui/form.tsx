/** The parts of every form: labelled fields with their hint, the problem in words, and the buttons at the end. */
import type { Signal } from "@preact/signals"
import type { ComponentChildren } from "preact"
import { useId, useLayoutEffect, useRef } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import type { Act } from "#client/ui/ask.ts"

export const Problem = ({ text }: { text: string | null }) =>
  text === null ? null : (
    <p class="problem" role="alert">
      {text}
    </p>
  )

export const Notice = ({ children }: { children: ComponentChildren }) => (
  <p class="notice" role="status">
    {children}
  </p>
)

interface FieldProps {
  readonly label: string
  readonly value: Signal<string>
  readonly name?: string
  readonly hint?: string | null
  readonly type?: "text" | "password" | "number" | "datetime-local"
  readonly autocomplete?: string
  readonly required?: boolean
  readonly mono?: boolean
  readonly maxLength?: number
  readonly min?: number
  readonly max?: number
  readonly step?: string
  readonly inputMode?: "numeric" | "text"
  readonly autoFocus?: boolean
  readonly readOnly?: boolean
}
export const Field = (props: FieldProps) => {
  const id = useId()
  const hint = props.hint ?? null
  const common = {
    name: props.name,
    class: props.mono === true ? "mono" : "",
    autocomplete: props.autocomplete ?? "off",
    autocapitalize: "none",
    spellcheck: false,
    required: props.required !== false,
    maxLength: props.maxLength,
    min: props.min,
    max: props.max,
    step: props.step,
    inputMode: props.inputMode,
    readOnly: props.readOnly,
    // Only in dialogs and in the second step of a form: there the eye already is.
    autoFocus: props.autoFocus,
    "aria-describedby": hint === null ? undefined : id,
    value: props.value.value,
    onInput: (event: { readonly currentTarget: HTMLInputElement }) => (props.value.value = event.currentTarget.value),
  } as const
  return (
    <div class="field">
      <label>
        {props.label}
        <Input kind={props.type ?? "text"} common={common} />
      </label>
      {hint !== null && (
        <p class="field-hint" id={id}>
          {hint}
        </p>
      )}
    </div>
  )
}
/** One element for each kind: the types of Preact tell an input's properties by its literal `type`. */
const Input = ({
  kind,
  common,
}: {
  kind: NonNullable<FieldProps["type"]>
  common: { readonly autoFocus: boolean | undefined }
}) => {
  const ref = useRef<HTMLInputElement>(null)
  // The attribute alone works only while a page or a dialog opens, not for the next step of a form.
  useLayoutEffect(() => {
    if (common.autoFocus === true) ref.current?.focus()
  }, [])
  switch (kind) {
    case "text":
      return <input ref={ref} type="text" {...common} />
    case "password":
      return <input ref={ref} type="password" {...common} />
    case "number":
      return <input ref={ref} type="number" {...common} />
    case "datetime-local":
      return <input ref={ref} type="datetime-local" {...common} />
  }
}

export interface Option {
  readonly value: string
  readonly label: string
}
export const Select = (props: { label: string; name?: string; value: Signal<string>; options: readonly Option[] }) => (
  <div class="field">
    <label>
      {props.label}
      <select
        name={props.name}
        value={props.value.value}
        onChange={(event) => (props.value.value = event.currentTarget.value)}
      >
        {props.options.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  </div>
)

/** Several of many. */
export const Choices = (props: {
  label: string
  value: Signal<readonly string[]>
  options: readonly (Option & { readonly detail?: string; readonly disabled?: boolean })[]
  tall?: boolean
}) => (
  <fieldset class={`choices ${props.tall === true ? "tall" : ""}`}>
    <legend>{props.label}</legend>
    {/* A list that scrolls is reachable by keyboard through its boxes. */}
    <div class="choice-list">
      {props.options.map(({ value, label, detail, disabled }) => (
        <label key={value} class="choice">
          <input
            type="checkbox"
            value={value}
            checked={props.value.value.includes(value)}
            disabled={disabled}
            onChange={(event) => {
              const rest = props.value.peek().filter((chosen) => chosen !== value)
              props.value.value = event.currentTarget.checked ? [...rest, value] : rest
            }}
          />
          <span>
            {label}
            {detail !== undefined && <small class="quiet">{detail}</small>}
          </span>
        </label>
      ))}
    </div>
  </fieldset>
)

export const Check = (props: { label: string; hint?: string; value: Signal<boolean>; disabled?: boolean }) => (
  <label class="choice">
    <input
      type="checkbox"
      checked={props.value.value}
      disabled={props.disabled}
      onChange={(event) => (props.value.value = event.currentTarget.checked)}
    />
    <span>
      {props.label}
      {props.hint !== undefined && <small class="quiet">{props.hint}</small>}
    </span>
  </label>
)

/** A form that sends itself once, says what went wrong above its buttons, and never loads the page. */
export const Form = (props: {
  act: Act
  submit: () => void
  label: string
  danger?: boolean
  disabled?: boolean
  cancel?: () => void
  children?: ComponentChildren
}) => {
  const off = props.act.busy || props.disabled === true
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault()
        if (!off) props.submit()
      }}
    >
      {props.children}
      <Problem text={props.act.problem} />
      <div class="form-end">
        {props.cancel !== undefined && (
          <button type="button" class="button" onClick={props.cancel}>
            {t("form.cancel")}
          </button>
        )}
        <button type="submit" class={props.danger === true ? "primary danger" : "primary"} aria-disabled={off}>
          {props.act.busy ? t("form.busy") : props.label}
        </button>
      </div>
    </form>
  )
}
