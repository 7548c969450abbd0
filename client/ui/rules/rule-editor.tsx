/**
 * One rule: form and text of the same JSON side by side, checked by the engine while it is written, saved only over what
 * the writer has seen. Drafts outlive the screen. Whoever may not configure rules reads them here.
 */
import { useSignal } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { said } from "#client/i18n/said.ts"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { can } from "#client/state/places.ts"
import { go, route } from "#client/state/route.ts"
import { mistakesIn, valueAt } from "#client/state/rule-doc.ts"
import { draftOf, drafts, formed, isChanged, NEW, setDraft, typed } from "#client/state/rule-drafts.ts"
import type { Draft } from "#client/state/rule-drafts.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import type { Act } from "#client/ui/ask.ts"
import { Confirm } from "#client/ui/confirm.tsx"
import { Problem } from "#client/ui/form.tsx"
import { BackTest } from "#client/ui/rules/dry-run.tsx"
import { Conflict } from "#client/ui/rules/conflict.tsx"
import { JsonPane } from "#client/ui/rules/json-pane.tsx"
import { RuleForm } from "#client/ui/rules/rule-form.tsx"
import { originWord } from "#client/ui/rules/rule-list.tsx"
import { Loaded } from "#client/ui/table.tsx"
import type { AlertRule, AlertRuleRow, RuleMistake } from "#protocol/rest-generated.ts"

/** Between two questions whether what is being written is right. */
const CHECK_MS = 350

interface EditorProps {
  /** NEW = a rule that is not stored yet. */
  readonly id: string
  readonly rows: readonly AlertRuleRow[]
  readonly changed: () => Promise<void>
}

export const RuleEditor = (props: EditorProps) => (props.id === NEW ? <Fresh {...props} /> : <Stored {...props} />)

const Fresh = (props: EditorProps) => {
  const draft = drafts.value.get(NEW)
  return draft === undefined ? (
    <p class="calm quiet">{t("rules.pick")}</p>
  ) : (
    <Editor {...props} draft={draft} row={null} />
  )
}

const Stored = (props: EditorProps) => {
  const { id } = props
  const asked = useAsk(() => call("alertRules.get", { params: { id } }), id)
  return (
    <div class="rule-editor-place">
      <Loaded asked={asked}>
        {(row) => (
          <Editor
            {...props}
            row={row}
            draft={drafts.value.get(id) ?? draftOf(row.rule, asked.etag, row.rule)}
            reload={() => {
              setDraft(id, null)
              return asked.reload()
            }}
          />
        )}
      </Loaded>
    </div>
  )
}

const Editor = (props: EditorProps & { draft: Draft; row: AlertRuleRow | null; reload?: () => Promise<void> }) => {
  const { id, draft, row } = props
  const act = useAct()
  const readOnly = !can("ruleEdit")
  const mistakes = useMistakes(draft, readOnly)
  const removing = useSignal(false)
  const isNew = id === NEW
  const testing = route.value.tab === "test"
  const name = String(valueAt(draft.json, ["name"]) ?? "")
  const stored = async (done: AlertRuleRow) => {
    const now = String(done.rule["id"])
    setDraft(id, null)
    await Promise.all([props.changed(), props.reload?.()])
    if (isNew) go({ item: now, tab: null }, true)
  }
  const save = (etag: string | null) => void act.run(() => put(draft, etag), stored)
  const refused = act.failure === null ? [] : mistakesIn(act.failure.fields)
  const shown = mistakes.value.length > 0 ? mistakes.value : refused
  const off = act.busy || !draft.read.ok || mistakes.value.length > 0 || !isChanged(draft)
  return (
    <article class="rule-editor panel" aria-labelledby="rule-title">
      <header class="rule-head">
        <div class="rule-name">
          <h2 id="rule-title">{name === "" ? t("rules.new") : said(name)}</h2>
          <p class="quiet">{row === null ? t("ruleOrigin.new") : originLine(row)}</p>
        </div>
        <nav class="tabs" aria-label={t("rules.parts")}>
          {([null, "test"] as const).map((tab) => (
            <button
              key={tab}
              type="button"
              aria-current={testing === (tab === "test") ? "page" : undefined}
              onClick={() => go({ tab }, true)}
            >
              {t(tab === null ? "rules.tab.edit" : "rules.tab.test")}
            </button>
          ))}
        </nav>
        <span class="grow" />
        {!readOnly && (
          <Buttons
            isNew={isNew}
            row={row}
            changed={isChanged(draft)}
            off={off}
            act={act}
            save={() => save(draft.etag)}
            discard={() => {
              setDraft(id, null)
              act.clear()
              if (isNew) go({ item: null, tab: null })
            }}
            remove={() => (removing.value = true)}
          />
        )}
      </header>
      {act.failure?.kind === "changed" ? (
        <Conflict
          id={id}
          mine={draft.json}
          takeTheirs={() => {
            act.clear()
            void props.reload?.()
          }}
          keepMine={save}
        />
      ) : (
        refused.length === 0 && <Problem text={act.problem} />
      )}
      {testing ? (
        <BackTest draft={draft} rows={props.rows} mistakes={shown} />
      ) : (
        <div class="rule-sides">
          {/* A text that cannot be read leaves the form as it last was, and shut. */}
          <div
            class={`rule-side ${draft.read.ok ? "" : "shut"}`}
            tabIndex={0}
            role="region"
            aria-label={t("rules.form")}
          >
            <RuleForm
              editing={{ mistakes: shown, readOnly: readOnly || !draft.read.ok }}
              json={draft.json}
              isNew={isNew}
              set={(json) => setDraft(id, formed(draft, json))}
            />
          </div>
          <JsonPane
            text={draft.text}
            read={draft.read}
            mistakes={shown}
            readOnly={readOnly}
            set={(text) => setDraft(id, typed(draft, text))}
          />
        </div>
      )}
      {removing.value && row !== null && (
        <Confirm
          title={t(row.origin === "changed" ? "rules.reset" : "rules.remove")}
          text={t(row.origin === "changed" ? "rules.reset.sure" : "rules.remove.sure", { name })}
          label={t(row.origin === "changed" ? "rules.reset" : "rules.remove")}
          ask={() => call("alertRules.remove", { params: { id }, headers: { "if-match": draft.etag ?? undefined } })}
          done={() => {
            removing.value = false
            setDraft(id, null)
            if (row.origin !== "changed") go({ item: null, tab: null })
            void Promise.all([props.changed(), props.reload?.()])
          }}
          close={() => (removing.value = false)}
        />
      )}
    </article>
  )
}

const put = ({ json }: Draft, etag: string | null) =>
  call("alertRules.put", {
    params: { id: String(valueAt(json, ["id"]) ?? "") || "-" },
    headers: { "if-match": etag ?? undefined },
    body: json as AlertRule,
  })

const originLine = (row: AlertRuleRow): string =>
  [originWord(row.origin), row.updatedBy === null ? null : t("rules.by", { name: row.updatedBy })]
    .filter(Boolean)
    .join(" · ")

/** Asked a breath after the last change; an answer to an older text is thrown away. */
const useMistakes = (draft: Draft, readOnly: boolean) => {
  const mistakes = useSignal<readonly RuleMistake[]>([])
  useEffect(() => {
    if (readOnly || !draft.read.ok) return
    let current = true
    const { json } = draft.read
    const timer = setTimeout(async () => {
      const answer = await call("alertRules.check", { body: { rule: json } })
      // What could not be asked is found out when saving.
      if (current && answer.ok) mistakes.value = answer.value.mistakes
    }, CHECK_MS)
    return () => {
      current = false
      clearTimeout(timer)
    }
  }, [draft.text, readOnly])
  return mistakes
}

const Buttons = (props: {
  isNew: boolean
  row: AlertRuleRow | null
  changed: boolean
  off: boolean
  act: Act
  save: () => void
  discard: () => void
  remove: () => void
}) => (
  <div class="rule-buttons">
    {!props.isNew && (props.row?.origin === "own" || props.row?.origin === "changed") && (
      <button type="button" class="text-button danger-text" onClick={props.remove}>
        {t(props.row.origin === "changed" ? "rules.reset" : "rules.remove")}
      </button>
    )}
    {props.changed && (
      <button type="button" class="button" onClick={props.discard}>
        {t("rules.discard")}
      </button>
    )}
    <button type="button" class="primary" aria-disabled={props.off} onClick={() => !props.off && props.save()}>
      {props.act.busy ? t("form.busy") : t("form.save")}
    </button>
  </div>
)
