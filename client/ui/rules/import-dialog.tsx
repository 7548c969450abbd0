/** Rules in: paste or drop, see what that would change, then do it. An edit of the text throws the preview away. */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { mistakesIn, rulesIn } from "#client/state/rule-doc.ts"
import { readRuleText } from "#client/state/rule-text.ts"
import { useAct } from "#client/ui/ask.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { Check, Problem } from "#client/ui/form.tsx"
import type { RuleImport } from "#protocol/rest-generated.ts"

/** Two thousand rules of two kilobytes. */
const BYTES_MAX = 4_000_000

export const ImportDialog = (props: { close: () => void; changed: () => Promise<void> }) => {
  const act = useAct()
  const text = useSignal("")
  const replace = useSignal(false)
  const tooLarge = useSignal(false)
  const report = useSignal<{ readonly text: string; readonly replace: boolean; readonly said: RuleImport } | null>(null)
  const read = readRuleText(text.value === "" ? "null" : text.value)
  const rules = read.ok ? rulesIn(read.json) : null
  const mistakes = act.failure === null ? [] : mistakesIn(act.failure.fields)
  const seen =
    report.value !== null && report.value.text === text.value && report.value.replace === replace.value
      ? report.value.said
      : null
  const take = (next: string) => {
    text.value = next
    act.clear()
  }
  const open = async (file: File | undefined) => {
    tooLarge.value = file !== undefined && file.size > BYTES_MAX
    if (file !== undefined && !tooLarge.value) take(await file.text())
  }
  const send = (dryRun: boolean) => {
    const asked = { text: text.value, replace: replace.value }
    void act.run(
      () =>
        call("alertRules.import", { body: { mode: asked.replace ? "replace" : "merge", rules: rules ?? [], dryRun } }),
      async (said) => {
        report.value = { ...asked, said }
        if (!dryRun) {
          await props.changed()
          props.close()
        }
      },
    )
  }
  const off = act.busy || rules === null
  return (
    <Dialog title={t("rules.import")} close={props.close} wide>
      <p class="quiet">{t("rules.import.why")}</p>
      <div
        class="drop"
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault()
          void open(event.dataTransfer?.files[0])
        }}
      >
        <label>
          {t("rules.import.text")}
          <textarea
            name="rules"
            class="mono"
            rows={10}
            spellcheck={false}
            maxLength={BYTES_MAX}
            value={text.value}
            onInput={(event) => take(event.currentTarget.value)}
          />
        </label>
        <label class="file">
          {t("import.file")}
          <input type="file" accept=".json" onChange={(event) => void open(event.currentTarget.files?.[0])} />
        </label>
      </div>
      <Check label={t("rules.import.replace")} hint={t("rules.import.replace.hint")} value={replace} />
      {tooLarge.value && <Problem text={t("import.large")} />}
      {!read.ok && <Problem text={t("rule.json.broken", { line: read.line, column: read.column })} />}
      {read.ok && rules === null && text.value.trim() !== "" && <Problem text={t("rules.import.none")} />}
      {mistakes.length === 0 ? (
        <Problem text={act.problem} />
      ) : (
        <div role="alert">
          <ul class="mistake-list" tabIndex={0} aria-label={t("rule.mistakes")}>
            {mistakes.map(({ path, problem }, at) => (
              <li key={at}>
                <code class="mono">{path}</code>
                <span lang="en">{problem}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {seen !== null && <Report said={seen} />}
      <div class="form-end">
        <button
          type="button"
          class={seen === null ? "primary" : "button"}
          aria-disabled={off}
          onClick={() => !off && send(true)}
        >
          {t(act.busy ? "form.busy" : "import.preview")}
        </button>
        {seen !== null && (
          <button
            type="button"
            class={replace.value ? "primary danger" : "primary"}
            aria-disabled={off}
            onClick={() => !off && send(false)}
          >
            {t("import.apply")}
          </button>
        )}
      </div>
    </Dialog>
  )
}

const Report = ({ said }: { said: RuleImport }) => (
  <dl class="import-sums">
    {(["added", "changed", "removed"] as const).map((what) => (
      <div key={what}>
        <dt>
          {t(`rules.import.${what}`)} <b class="num">{said[what].length}</b>
        </dt>
        <dd class="mono quiet">{said[what].join(", ")}</dd>
      </div>
    ))}
    <div>
      <dt>
        {t("rules.import.unchanged")} <b class="num">{said.unchanged}</b>
      </dt>
    </div>
  </dl>
)
