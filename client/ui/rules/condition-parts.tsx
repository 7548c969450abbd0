/** The parts of a condition that are more than one word or number: a limit of either kind, good values, an event's match. */
import { useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { valueOf } from "#client/state/condition-form.ts"
import type { KnownForm } from "#client/state/condition-form.ts"
import { withValue } from "#client/state/rule-doc.ts"
import type { Path } from "#client/state/rule-doc.ts"
import { MetricPart, Mistakes, NumberPart, TextPart } from "#client/ui/rules/fields.tsx"
import type { Editing } from "#client/ui/rules/fields.tsx"
import type { Metric } from "#protocol/metric.ts"

interface PartProps {
  readonly editing: Editing
  readonly path: Path
  readonly label: string
  readonly value: unknown
}

/** A number, or another metric of the entity times a factor. */
export const LimitPart = (
  props: PartProps & {
    form: KnownForm
    metric: Metric | null
    set: (limit: number | Readonly<Record<string, unknown>> | undefined) => void
  },
) => {
  const { editing, path } = props
  const ref = valueOf(props.form, "threshold_ref")
  const isRef = typeof ref === "object" && ref !== null
  const refPath = [...path.slice(0, -1), "threshold_ref"]
  const of = (key: string): unknown => (isRef ? (ref as Readonly<Record<string, unknown>>)[key] : undefined)
  const put = (key: string, value: unknown) =>
    props.set(withValue(ref, [key], value) as Readonly<Record<string, unknown>>)
  return (
    <div class="limit-part">
      <div class="segments" role="group" aria-label={t("cond.limit.way")}>
        <button type="button" aria-pressed={!isRef} disabled={editing.readOnly} onClick={() => isRef && props.set(0)}>
          {t("cond.limit.number")}
        </button>
        <button
          type="button"
          aria-pressed={isRef}
          disabled={editing.readOnly}
          onClick={() => !isRef && props.set({ metric: props.metric?.name ?? "", factor: 1 })}
        >
          {t("cond.limit.metric")}
        </button>
      </div>
      {isRef ? (
        <div class="cond-fields">
          <MetricPart
            editing={editing}
            path={[...refPath, "metric"]}
            label={t("condField.metric")}
            value={of("metric")}
            set={(metric) => put("metric", metric)}
          />
          <NumberPart
            editing={editing}
            path={[...refPath, "factor"]}
            label={t("condField.factor")}
            unit="×"
            value={of("factor")}
            set={(factor) => put("factor", factor)}
          />
        </div>
      ) : (
        <NumberPart
          editing={editing}
          path={path}
          label={props.label}
          value={props.value}
          set={props.set}
          unit={props.metric?.unit ?? ""}
        />
      )}
      <Mistakes editing={editing} path={refPath} />
    </div>
  )
}

type GoodValue = string | number | boolean

/** Words of a state are ticked; of anything else they are typed, separated by commas. */
export const ValuesPart = (
  props: PartProps & { metric: Metric | null; set: (values: readonly GoodValue[]) => void },
) => {
  const list = Array.isArray(props.value) ? (props.value as readonly unknown[]) : []
  const good = list.filter((one): one is GoodValue => ["string", "number", "boolean"].includes(typeof one))
  const states = props.metric?.states
  if (states === undefined || !good.every((one) => typeof one === "string" && states.includes(one))) {
    return <TypedValues {...props} good={good} />
  }
  return (
    <fieldset class="choices values-part">
      <legend>{props.label}</legend>
      <div class="chips">
        {states.map((state) => (
          <label key={state} class="choice">
            <input
              type="checkbox"
              disabled={props.editing.readOnly}
              checked={good.includes(state)}
              onChange={(event) =>
                props.set(event.currentTarget.checked ? [...good, state] : good.filter((one) => one !== state))
              }
            />
            <span class="mono">{state}</span>
          </label>
        ))}
      </div>
      <Mistakes editing={props.editing} path={props.path} />
    </fieldset>
  )
}

const TypedValues = (
  props: PartProps & { good: readonly GoodValue[]; set: (values: readonly GoodValue[]) => void },
) => {
  const given = props.good.join(", ")
  const text = useSignal(given)
  const own = useRef(given)
  useEffect(() => {
    // What is being typed ("1, ") is not taken away by its own echo.
    if (given !== own.current) text.value = given
    own.current = given
  }, [given])
  return (
    <TextPart
      editing={props.editing}
      path={props.path}
      label={props.label}
      hint={t("cond.values.hint")}
      mono
      value={text.value}
      set={(typed) => {
        text.value = typed
        const values = typed
          .split(",")
          .map((one) => one.trim())
          .filter((one) => one !== "")
          .map(readValue)
        own.current = values.join(", ")
        props.set(values)
      }}
    />
  )
}
const readValue = (word: string): GoodValue => {
  if (word === "true" || word === "false") return word === "true"
  return Number.isFinite(Number(word)) ? Number(word) : word
}

const PARTS = ["old", "new", "raw"] as const
const patternText = (pattern: unknown): unknown =>
  typeof pattern === "object" && pattern !== null && "re2" in pattern ? `/${String(pattern.re2)}/` : pattern
/** Undefined = nothing is asked. */
const patternOf = (text: string): unknown => {
  if (text === "") return undefined
  return text.length > 2 && text.startsWith("/") && text.endsWith("/") ? { re2: text.slice(1, -1) } : text
}
/** Patterns over the parts of an event; an empty one asks nothing. A glob, or `/.../`: an expression of RE2. */
export const EventMatchPart = (props: PartProps & { set: (match: unknown) => void }) => {
  const match =
    typeof props.value === "object" && props.value !== null ? (props.value as Readonly<Record<string, unknown>>) : {}
  return (
    <fieldset class="choices match-part">
      <legend>{props.label}</legend>
      <div class="cond-fields">
        {PARTS.map((part) => (
          <TextPart
            key={part}
            editing={props.editing}
            path={[...props.path, part]}
            label={t(`cond.match.${part}`)}
            mono
            value={patternText(match[part])}
            set={(text) => {
              const next = withValue(match, [part], patternOf(text)) as object
              props.set(Object.keys(next).length === 0 ? undefined : next)
            }}
          />
        ))}
      </div>
      <p class="field-hint">{t("cond.match.hint")}</p>
      <Mistakes editing={props.editing} path={props.path} />
    </fieldset>
  )
}
