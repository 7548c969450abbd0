/** The rule part by part: who it is, what it covers, when it fires and recovers, how bad that is, what people are told. */
import type { ComponentChildren } from "preact"
import { inPortuguese } from "#client/i18n/said.ts"
import { language, t } from "#client/i18n/translate.ts"
import { buildCondition, freshCondition } from "#client/state/condition-form.ts"
import { valueAt, withValue } from "#client/state/rule-doc.ts"
import type { Path } from "#client/state/rule-doc.ts"
import { formatDuration } from "#client/ui/format.ts"
import { ConditionBuilder } from "#client/ui/rules/condition-builder.tsx"
import { Mistakes, NumberPart, TextPart } from "#client/ui/rules/fields.tsx"
import type { Editing } from "#client/ui/rules/fields.tsx"
import { ScopeEditor } from "#client/ui/rules/scope-editor.tsx"
import { SeverityEditor } from "#client/ui/rules/severity-editor.tsx"
import { RULE_PLACEHOLDERS } from "#protocol/rule.ts"
import type { Scope } from "#protocol/rule.ts"

const TIMES = ["for_seconds", "recover_seconds", "cooldown_seconds"] as const

export const RuleForm = (props: { editing: Editing; json: unknown; isNew: boolean; set: (json: unknown) => void }) => {
  const { editing, json } = props
  const at = (path: Path): unknown => valueAt(json, path)
  const put = (path: Path, value: unknown) => props.set(withValue(json, path, value))
  const text = (path: Path, label: string, more: object = {}) => (
    <TextPart
      editing={editing}
      path={path}
      label={label}
      value={at(path)}
      // A description may be missing, but it may not be empty.
      set={(value) => put(path, value === "" && path.includes("description") ? undefined : value)}
      {...more}
    />
  )
  const scope = at(["scope"])
  return (
    <div class="rule-form">
      <Mistakes editing={editing} path={[]} />
      <Section title={t("rule.part.who")}>
        <div class="cond-fields">
          {text(["name"], t("rule.name"))}
          {text(["id"], t("rule.id"), { mono: true, readOnly: !props.isNew })}
        </div>
      </Section>
      <Section title={t("rule.part.when")}>
        <ConditionBuilder
          editing={editing}
          path={["condition"]}
          json={at(["condition"])}
          set={(condition) => put(["condition"], condition)}
        />
      </Section>
      <Section title={t("rule.part.recover")}>
        {at(["recover"]) === undefined ? (
          <p class="row-line">
            <span class="quiet">{t("rule.recover.none")}</span>
            {!editing.readOnly && (
              <button
                type="button"
                class="text-button"
                onClick={() => put(["recover"], at(["condition"]) ?? buildCondition(freshCondition("threshold")))}
              >
                {t("rule.recover.add")}
              </button>
            )}
          </p>
        ) : (
          <>
            <ConditionBuilder
              editing={editing}
              path={["recover"]}
              json={at(["recover"])}
              set={(recover) => put(["recover"], recover)}
            />
            {!editing.readOnly && (
              <button type="button" class="text-button" onClick={() => put(["recover"], undefined)}>
                {t("rule.recover.remove")}
              </button>
            )}
          </>
        )}
      </Section>
      <Section title={t("rule.part.times")}>
        <div class="cond-fields">
          {TIMES.map((key) => {
            const value = at([key])
            return (
              <NumberPart
                key={key}
                editing={editing}
                path={[key]}
                label={t(`rule.${key}`)}
                unit="s"
                value={value}
                {...(typeof value === "number" && value >= 60
                  ? { hint: `= ${formatDuration(language.value, value * 1_000)}` }
                  : {})}
                set={(seconds) => put([key], seconds)}
              />
            )
          })}
        </div>
      </Section>
      <Section title={t("rule.part.severity")}>
        <SeverityEditor editing={editing} json={at(["severity"])} set={(severity) => put(["severity"], severity)} />
      </Section>
      <Section title={t("rule.part.scope")}>
        <ScopeEditor
          scope={(typeof scope === "object" && scope !== null ? scope : {}) as Scope}
          readOnly={editing.readOnly}
          set={(next) => put(["scope"], next)}
        />
        {editing.mistakes
          .filter(({ path }) => path.startsWith("scope"))
          .map(({ path, problem }) => (
            <p key={path} class="mistake" lang="en">
              <code class="mono">{path}</code> {problem}
            </p>
          ))}
      </Section>
      <Section title={t("rule.part.told")}>
        {text(["annotations", "summary_template"], t("rule.summary"), {
          wide: true,
          hint: RULE_PLACEHOLDERS.map((name) => `{{${name}}}`).join(" "),
        })}
        {text(["annotations", "description"], t("rule.description"), {
          wide: true,
          lines: 2,
          hint: inReadersWords(at(["annotations", "description"])),
        })}
        {text(["annotations", "runbook_url"], t("rule.runbook"), {
          wide: true,
          mono: true,
          hint: t("rule.runbook.hint"),
        })}
        <Mistakes editing={editing} path={["annotations"]} />
      </Section>
    </div>
  )
}

/** A shipped rule's description is English text of the rule; whoever reads another language finds it beneath in their own. */
const inReadersWords = (description: unknown): string | undefined =>
  language.value !== "en" && typeof description === "string" ? (inPortuguese(description) ?? undefined) : undefined

const Section = ({ title, children }: { title: string; children: ComponentChildren }) => (
  <section class="rule-part">
    <h3>{title}</h3>
    {children}
  </section>
)
