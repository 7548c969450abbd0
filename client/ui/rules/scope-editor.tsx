/** What a rule or a window covers: sites, devices, roles, tags, kinds and single entities. Lists are ANDed, entries ORed. */
import { t } from "#client/i18n/translate.ts"
import { twin } from "#client/state/app.ts"
import { SCOPE_FIELDS, scopeList, withScope } from "#client/state/rule-doc.ts"
import type { ScopeField } from "#client/state/rule-doc.ts"
import { deviceName, siteName } from "#client/ui/alerts/words.ts"
import { ChipPicker } from "#client/ui/rules/chip-picker.tsx"
import type { Pickable } from "#client/ui/rules/chip-picker.tsx"
import { roleName } from "#client/ui/format.ts"
import { ROLES } from "#protocol/role.ts"
import { RULE_ENTITY_TYPES } from "#protocol/rule.ts"
import type { Scope } from "#protocol/rule.ts"

const OFTEN: readonly ScopeField[] = ["by_site_ids", "by_device_ids", "by_roles", "by_tags"]
const RARELY: readonly ScopeField[] = ["by_entity_type", "by_entity_ids"]

export const ScopeEditor = (props: { scope: Scope; set: (scope: Scope) => void; readOnly: boolean }) => {
  const picker = (field: ScopeField) => (
    <ChipPicker
      key={field}
      label={t(`scopeField.${field}`)}
      placeholder={t("scope.any")}
      chosen={scopeList(props.scope, field)}
      options={optionsOf(field)}
      free={field === "by_tags" || field === "by_entity_ids"}
      mono={field === "by_entity_ids"}
      readOnly={props.readOnly}
      set={(values) => props.set(withScope(props.scope, field, values))}
    />
  )
  return (
    <div class="scope-editor">
      {OFTEN.map(picker)}
      <details open={RARELY.some((field) => scopeList(props.scope, field).length > 0)}>
        <summary>{t("scope.more")}</summary>
        <div class="scope-editor">{RARELY.map(picker)}</div>
      </details>
    </div>
  )
}

const optionsOf = (field: ScopeField): readonly Pickable[] => {
  const state = twin.value
  switch (field) {
    case "by_site_ids":
      return (state?.sites.id ?? []).map((value, at) => ({ value, label: state?.sites.name[at] ?? value }))
    case "by_device_ids":
      return (state?.nodes.id ?? []).map((value, at) => ({ value, label: state?.nodes.name[at] ?? value }))
    case "by_roles":
      return ROLES.map((value) => ({ value, label: roleName(value) }))
    case "by_entity_type":
      return RULE_ENTITY_TYPES.map((value) => ({ value, label: t(`entityKind.${value}`) }))
    case "by_tags":
    case "by_entity_ids":
      return []
  }
}

/** Entries of one list that are named; more are counted. */
const NAMED = 3

/** `Local: São Paulo · Função: núcleo`; nothing named is everything. */
export const scopeText = (scope: unknown): string => {
  const said = SCOPE_FIELDS.flatMap((field) => {
    const values = scopeList(scope, field)
    if (values.length === 0) return []
    const names = values.slice(0, NAMED).map((value) => nameOf(field, value))
    const more = values.length > NAMED ? ` +${values.length - NAMED}` : ""
    return [`${t(`scopeField.${field}`)}: ${names.join(", ")}${more}`]
  })
  return said.length === 0 ? t("scope.everything") : said.join(" · ")
}

const nameOf = (field: ScopeField, value: string): string => {
  if (field === "by_site_ids") return siteName(value)
  if (field === "by_device_ids") return deviceName(value)
  if (field === "by_roles") return roleName(value)
  return field === "by_entity_type" ? (optionsOf(field).find((one) => one.value === value)?.label ?? value) : value
}
