/** The rules: a list, and the one that is open with its editor and its back-test. New ones begin empty or from a pack. */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { allPages } from "#client/state/pages.ts"
import { can } from "#client/state/places.ts"
import { go, route } from "#client/state/route.ts"
import { asRule, newRule, variantOf } from "#client/state/rule-doc.ts"
import { draftOf, drafts, NEW, setDraft } from "#client/state/rule-drafts.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { Form, Problem, Select } from "#client/ui/form.tsx"
import { saveFile } from "#client/ui/once.tsx"
import { ImportDialog } from "#client/ui/rules/import-dialog.tsx"
import { RuleEditor } from "#client/ui/rules/rule-editor.tsx"
import { RuleList } from "#client/ui/rules/rule-list.tsx"
import { Loaded } from "#client/ui/table.tsx"
import type { AlertRuleRow } from "#protocol/rest-generated.ts"

const listRules = () => allPages((cursor) => call("alertRules.list", { query: { limit: 1_000, cursor } }))

export const RulesScreen = () => {
  const asked = useAsk(listRules)
  const act = useAct()
  const opened = useSignal<"new" | "import" | null>(null)
  const { item } = route.value
  const rows = asked.value ?? []
  return (
    <div class="split rules-split">
      <section class="list-side" aria-labelledby="rules-title">
        <header class="screen-head">
          <h1 id="rules-title">{t("rules.title")}</h1>
          <span class="count num">{rows.length}</span>
          <span class="grow" />
          <div class="row-line">
            <button
              type="button"
              class="text-button"
              onClick={() =>
                void act.run(
                  () => call("alertRules.export", {}),
                  (said) => saveFile("heliograph-rules.json", "application/json", `${JSON.stringify(said, null, 2)}\n`),
                )
              }
            >
              {t("rules.export")}
            </button>
            {can("ruleEdit") && (
              <>
                <button type="button" class="text-button" onClick={() => (opened.value = "import")}>
                  {t("rules.import")}
                </button>
                <button type="button" class="button" onClick={() => (opened.value = "new")}>
                  {t("rules.new")}
                </button>
              </>
            )}
          </div>
        </header>
        <Problem text={act.problem} />
        <Loaded asked={asked}>{(all) => <RuleList rows={all} open={item} changed={asked.reload} />}</Loaded>
      </section>
      {item === null ? (
        <p class="calm quiet pick">{t("rules.pick")}</p>
      ) : (
        <RuleEditor key={item} id={item} rows={rows} changed={asked.reload} />
      )}
      {opened.value === "new" && <NewDialog rows={rows} close={() => (opened.value = null)} />}
      {opened.value === "import" && <ImportDialog close={() => (opened.value = null)} changed={asked.reload} />}
    </div>
  )
}

/** "" = from nothing. */
const NewDialog = ({ rows, close }: { rows: readonly AlertRuleRow[]; close: () => void }) => {
  const act = useAct()
  const template = useSignal("")
  const packs = useAsk(() => call("alertRules.packs"))
  const taken = new Set(rows.map(({ rule }) => String(rule["id"])))
  const names = new Map(rows.map(({ rule }) => [asRule(rule).id, asRule(rule).name]))
  const options = (packs.value?.items ?? []).flatMap((pack) =>
    pack.rules.map((id) => ({ value: id, label: `${pack.name} · ${names.get(id) ?? id}` })),
  )
  return (
    <Dialog title={t("rules.new")} close={close}>
      <Form
        act={act}
        label={t("rules.new.begin")}
        cancel={close}
        submit={() => {
          const from = rows.find(({ rule }) => rule["id"] === template.value)
          const json = from === undefined ? newRule("", "") : variantOf(from.rule, taken)
          setDraft(NEW, draftOf(json, null))
          close()
          go({ item: NEW, tab: null })
        }}
      >
        <p class="quiet">{t("rules.new.why")}</p>
        <Problem text={packs.problem} />
        <Select
          label={t("rules.new.template")}
          name="template"
          value={template}
          options={[{ value: "", label: t("rules.new.empty") }, ...options]}
        />
        {drafts.value.has(NEW) && <p class="notice">{t("rules.new.lost")}</p>}
      </Form>
    </Dialog>
  )
}
