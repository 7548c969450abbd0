/** How bad it is: one word, by the role of the device, or in tiers of which the first that holds counts. */
import { t } from "#client/i18n/translate.ts"
import { buildCondition, freshCondition } from "#client/state/condition-form.ts"
import { withValue } from "#client/state/rule-doc.ts"
import { roleName } from "#client/ui/format.ts"
import { CloseIcon } from "#client/ui/icons.tsx"
import { ConditionBuilder } from "#client/ui/rules/condition-builder.tsx"
import { Mistakes, WordPart } from "#client/ui/rules/fields.tsx"
import type { Editing } from "#client/ui/rules/fields.tsx"
import { ROLES } from "#protocol/role.ts"
import { ALERT_SEVERITIES } from "#protocol/rule.ts"

type Way = "word" | "role" | "tiers"
const WAYS: readonly Way[] = ["word", "role", "tiers"]
const PATH = ["severity"] as const
/** The engine takes eight. */
const TIERS_MAX = 8

const wayOf = (json: unknown): Way => (typeof json === "string" ? "word" : Array.isArray(json) ? "tiers" : "role")
const fresh = (way: Way, old: unknown): unknown => {
  const word = typeof old === "string" ? old : "warn"
  if (way === "word") return "warn"
  if (way === "role") return { by_role: { core: "critical", default: word } }
  return [
    { when: buildCondition(freshCondition("threshold")), sev: "critical" },
    { when: buildCondition(freshCondition("threshold")), sev: word },
  ]
}
const words = () => ALERT_SEVERITIES.toReversed().map((value) => ({ value, label: t(`alertSeverity.${value}`) }))

export const SeverityEditor = (props: { editing: Editing; json: unknown; set: (json: unknown) => void }) => {
  const { editing, json, set } = props
  const way = wayOf(json)
  return (
    <div class="severity-editor">
      <div class="segments" role="group" aria-label={t("rule.severity.way")}>
        {WAYS.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={way === one}
            disabled={editing.readOnly}
            onClick={() => one !== way && set(fresh(one, json))}
          >
            {t(`rule.severity.${one}`)}
          </button>
        ))}
      </div>
      {way === "word" && (
        <WordPart editing={editing} path={PATH} label={t("alerts.severity")} value={json} set={set} options={words()} />
      )}
      {way === "role" && <ByRole {...props} />}
      {way === "tiers" && <Tiers {...props} />}
      {way !== "word" && <Mistakes editing={editing} path={PATH} />}
    </div>
  )
}

const ByRole = ({ editing, json, set }: { editing: Editing; json: unknown; set: (json: unknown) => void }) => {
  const by = (json as { readonly by_role?: Readonly<Record<string, unknown>> } | null)?.by_role ?? {}
  return (
    <>
      <div class="role-grid">
        {[...ROLES, "default"].map((role) => (
          <WordPart
            key={role}
            editing={editing}
            path={[...PATH, "by_role", role]}
            label={role === "default" ? t("rule.severity.default") : roleName(role)}
            value={by[role] ?? ""}
            set={(word) => set(withValue(json, ["by_role", role], word === "" ? undefined : word))}
            options={[{ value: "", label: "—" }, ...words()]}
          />
        ))}
      </div>
      <Mistakes editing={editing} path={[...PATH, "by_role"]} />
    </>
  )
}

const Tiers = ({ editing, json, set }: { editing: Editing; json: unknown; set: (json: unknown) => void }) => {
  const tiers = Array.isArray(json) ? (json as readonly Readonly<Record<string, unknown>>[]) : []
  return (
    <div class="tiers">
      {tiers.map((tier, at) => (
        <div key={at} class="tier">
          <div class="cond-head">
            <WordPart
              editing={editing}
              path={[...PATH, at, "sev"]}
              label={t("rule.severity.tier", { n: at + 1 })}
              value={tier?.["sev"]}
              set={(word) => set(withValue(json, [at, "sev"], word))}
              options={words()}
            />
            <span class="grow" />
            {!editing.readOnly && tiers.length > 1 && (
              <button
                type="button"
                class="icon-button"
                aria-label={t("rule.severity.tier.remove", { n: at + 1 })}
                onClick={() => set(tiers.filter((_, nth) => nth !== at))}
              >
                <CloseIcon />
              </button>
            )}
          </div>
          <ConditionBuilder
            editing={editing}
            path={[...PATH, at, "when"]}
            json={tier?.["when"]}
            set={(when) => set(withValue(json, [at, "when"], when))}
          />
        </div>
      ))}
      {!editing.readOnly && tiers.length < TIERS_MAX && (
        <button
          type="button"
          class="text-button"
          onClick={() => set([...tiers, { when: buildCondition(freshCondition("threshold")), sev: "info" }])}
        >
          {t("rule.severity.tier.add")}
        </button>
      )}
    </div>
  )
}
