/** Builds a condition part by part, nested as deep as wanted. It shows and changes a place of the rule's JSON. */
import { language, t } from "#client/i18n/translate.ts"
import {
  added,
  buildCondition,
  composed,
  CONDITION_FIELDS,
  CONDITION_TYPES,
  freshCondition,
  parseCondition,
  replaced,
  retyped,
  unwrapped,
  valueOf,
  withField,
  withLimit,
  without,
} from "#client/state/condition-form.ts"
import type { ConditionForm, FieldSpec, KnownForm } from "#client/state/condition-form.ts"
import type { Path } from "#client/state/rule-doc.ts"
import { formatDuration } from "#client/ui/format.ts"
import { CloseIcon } from "#client/ui/icons.tsx"
import { EventMatchPart, LimitPart, ValuesPart } from "#client/ui/rules/condition-parts.tsx"
import { FlagPart, MetricPart, Mistakes, NumberPart, WordPart } from "#client/ui/rules/fields.tsx"
import type { Editing } from "#client/ui/rules/fields.tsx"
import { metricByName } from "#protocol/metric.ts"
import { AGGREGATIONS, OPERATORS, RULE_EVENTS } from "#protocol/rule.ts"
import type { ConditionType } from "#protocol/rule.ts"

export const ConditionBuilder = (props: {
  editing: Editing
  path: Path
  json: unknown
  set: (json: unknown) => void
}) => (
  <Node
    editing={props.editing}
    path={props.path}
    form={parseCondition(props.json)}
    set={(form) => props.set(buildCondition(form))}
    remove={null}
  />
)

interface NodeProps {
  readonly editing: Editing
  readonly path: Path
  readonly form: ConditionForm
  readonly set: (form: ConditionForm) => void
  /** Null = it cannot go: the rule needs one. */
  readonly remove: (() => void) | null
}

const Node = ({ editing, path, form, set, remove }: NodeProps) => {
  const type = form.kind === "known" ? form.type : ""
  return (
    <div
      class={`cond ${type === "composite" ? "cond-group" : ""}`}
      role="group"
      aria-label={type === "" ? t("cond.unknown") : t(`conditionType.${type as ConditionType}`)}
    >
      <div class="cond-head">
        <select
          class="cond-type"
          aria-label={t("cond.type")}
          disabled={editing.readOnly}
          value={type}
          onChange={(event) => {
            const wanted = CONDITION_TYPES.find((one) => one === event.currentTarget.value)
            if (wanted !== undefined) set(retyped(form, wanted))
          }}
        >
          {type === "" && <option value="">{t("cond.unknown")}</option>}
          {CONDITION_TYPES.map((one) => (
            <option key={one} value={one}>
              {t(`conditionType.${one}`)}
            </option>
          ))}
        </select>
        {!editing.readOnly && form.kind === "known" && (
          <>
            {form.type !== "composite" && (
              <button
                type="button"
                class="text-button"
                onClick={() => set(composed([form, freshCondition("threshold")], "and"))}
              >
                {t("cond.combine")}
              </button>
            )}
            {unwrapped(form) !== form && (
              <button type="button" class="text-button" onClick={() => set(unwrapped(form))}>
                {t("cond.unwrap")}
              </button>
            )}
          </>
        )}
        <span class="grow" />
        {remove !== null && !editing.readOnly && (
          <button
            type="button"
            class="icon-button"
            aria-label={t("cond.remove")}
            title={t("cond.remove")}
            onClick={remove}
          >
            <CloseIcon />
          </button>
        )}
      </div>
      <Mistakes editing={editing} path={path} />
      <Mistakes editing={editing} path={[...path, "type"]} />
      {form.kind === "other" ? (
        <p class="quiet">{t("cond.unknown.why")}</p>
      ) : (
        <>
          <div class="cond-fields">
            {CONDITION_FIELDS[form.type].map((spec) => (
              <Part key={spec.key} editing={editing} path={[...path, spec.key]} spec={spec} form={form} set={set} />
            ))}
          </div>
          {form.type === "composite" && <Inner editing={editing} path={path} form={form} set={set} />}
        </>
      )}
    </div>
  )
}

const Inner = ({ editing, path, form, set }: Omit<NodeProps, "form" | "remove"> & { form: KnownForm }) => (
  <div class="cond-inner">
    <Mistakes editing={editing} path={[...path, "conditions"]} />
    {(form.inner ?? []).map((inner, at) => (
      <Node
        key={at}
        editing={editing}
        path={[...path, "conditions", at]}
        form={inner}
        set={(next) => set(replaced(form, at, next))}
        remove={() => set(without(form, at))}
      />
    ))}
    {!editing.readOnly && (
      <button type="button" class="text-button" onClick={() => set(added(form, freshCondition("threshold")))}>
        {t("cond.add")}
      </button>
    )}
  </div>
)

interface PartProps {
  readonly editing: Editing
  readonly path: Path
  readonly spec: FieldSpec
  readonly form: KnownForm
  readonly set: (form: ConditionForm) => void
}
const Part = ({ editing, path, spec, form, set }: PartProps) => {
  const value = valueOf(form, spec.key)
  const metric = metricByName(String(valueOf(form, "metric") ?? ""))
  const put = (next: unknown) => set(withField(form, spec.key, next))
  const common = { editing, path, label: t(`condField.${fieldWord(spec.key)}`), value }
  switch (spec.input) {
    case "metric":
      return <MetricPart {...common} set={put} />
    case "operator":
      return <WordPart {...common} set={put} options={OPERATORS.map((one) => ({ value: one, label: one }))} />
    case "aggregation":
      return (
        <WordPart
          {...common}
          set={put}
          options={AGGREGATIONS.map((one) => ({ value: one, label: t(`aggregation.${one}`) }))}
        />
      )
    case "event":
      return <WordPart {...common} set={put} options={RULE_EVENTS.map((one) => ({ value: one, label: one }))} />
    case "op":
      return (
        <WordPart
          {...common}
          set={put}
          options={(["and", "or", "not"] as const).map((one) => ({ value: one, label: t(`why.op.${one}`) }))}
        />
      )
    case "limit":
      return <LimitPart {...common} form={form} metric={metric} set={(limit) => set(withLimit(form, limit))} />
    case "number":
      return <NumberPart {...common} set={put} unit={unitOf(form, spec, metric?.unit ?? "")} />
    case "count":
      return <NumberPart {...common} set={put} />
    case "seconds":
      return <NumberPart {...common} set={put} unit="s" {...spanHint(value)} />
    case "flag":
      return <FlagPart {...common} set={put} />
    case "values":
      return <ValuesPart {...common} metric={metric} set={put} />
    case "match":
      return <EventMatchPart {...common} set={put} />
  }
}

const spanHint = (value: unknown): { hint?: string } =>
  typeof value === "number" && value >= 60 ? { hint: `= ${formatDuration(language.value, value * 1_000)}` } : {}

const unitOf = (form: KnownForm, { key }: FieldSpec, unit: string): string => {
  if (key === "factor") return "×"
  if (form.type !== "rate_of_change") return unit
  return valueOf(form, "relative") === true ? "" : `${unit}/s`
}

const FIELD_WORDS = [
  "metric",
  "operator",
  "aggregation",
  "threshold_num",
  "lookback_seconds",
  "good_values",
  "count",
  "relative",
  "factor",
  "baseline_seconds",
  "offset_seconds",
  "transitions",
  "seconds",
  "event_type",
  "match",
  "op",
] as const
const fieldWord = (key: string): (typeof FIELD_WORDS)[number] => FIELD_WORDS.find((one) => one === key) ?? "metric"
