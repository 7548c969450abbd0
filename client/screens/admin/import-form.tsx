/**
 * Import: paste or drop a document, see what it would do, then do it. Nothing changes before the preview was read; an
 * edit of the document throws the preview away, so that what is applied is what was shown.
 */
import { useSignal } from "@preact/signals"
import { useMemo } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { call, newKey } from "#client/state/api.ts"
import { DOCUMENT_BYTES, formatOf, mistakesOf } from "#client/state/import-format.ts"
import { can } from "#client/state/places.ts"
import { useAct } from "#client/ui/ask.ts"
import { Check, Problem } from "#client/ui/form.tsx"
import { ImportMistakes, ImportReportView } from "#client/screens/admin/import-report.tsx"
import type { ImportReport } from "#protocol/rest-generated.ts"

export const ImportForm = () => {
  const act = useAct()
  const text = useSignal("")
  const replace = useSignal(false)
  const tooLarge = useSignal(false)
  const report = useSignal<ImportReport | null>(null)
  /** What the preview was made with: another choice needs another preview. */
  const previewed = useSignal<boolean | null>(null)
  const key = useMemo(newKey, [text.value, replace.value])
  const take = (next: string) => {
    text.value = next
    report.value = null
    tooLarge.value = false
    act.clear()
  }
  const read = async (file: File | undefined) => {
    if (file === undefined) return
    if (file.size > DOCUMENT_BYTES) {
      take("")
      tooLarge.value = true
    } else take(await file.text())
  }
  const send = (dryRun: boolean) => {
    report.value = null
    void act.run(
      () =>
        call("inventory.import", {
          query: {
            dryRun: dryRun ? "true" : "false",
            replace: replace.value ? "true" : "false",
            format: formatOf(text.value),
          },
          // A preview changes nothing and may be asked again; the key is the apply's.
          ...(dryRun ? {} : { headers: { "idempotency-key": key } }),
          body: { document: text.value },
        }),
      (answer) => {
        report.value = answer
        previewed.value = answer.dryRun ? replace.peek() : null
        if (!answer.dryRun) text.value = ""
      },
    )
  }
  const mistakes = mistakesOf(act.failure)
  return (
    <section class="card panel wide-card" aria-labelledby="import-title">
      <h2 id="import-title">{t("import.title")}</h2>
      <p class="quiet">{t("import.why")}</p>
      <div
        class="drop"
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault()
          void read(event.dataTransfer?.files[0])
        }}
      >
        <label>
          {t("import.document")}
          <textarea
            name="document"
            class="mono"
            rows={8}
            spellcheck={false}
            value={text.value}
            onInput={(event) => take(event.currentTarget.value)}
          />
        </label>
        <label class="file">
          {t("import.file")}
          <input
            type="file"
            accept=".json,.csv,.txt,.graphml,.xml"
            onChange={(event) => void read(event.currentTarget.files?.[0])}
          />
        </label>
      </div>
      {can("deviceRemove") && <Check label={t("import.replace")} hint={t("import.replace.hint")} value={replace} />}
      {tooLarge.value && <Problem text={t("import.large")} />}
      {mistakes === null ? <Problem text={act.problem} /> : <ImportMistakes mistakes={mistakes} />}
      {report.value !== null && (!report.value.dryRun || previewed.value === replace.value) && (
        <ImportReportView report={report.value} />
      )}
      <div class="form-end">
        <button
          type="button"
          class={report.value === null ? "primary" : "button"}
          aria-disabled={act.busy || text.value.trim() === ""}
          onClick={() => text.value.trim() !== "" && send(true)}
        >
          {t(act.busy ? "form.busy" : "import.preview")}
        </button>
        {report.value?.dryRun === true && previewed.value === replace.value && (
          <button
            type="button"
            class={replace.value ? "primary danger" : "primary"}
            aria-disabled={act.busy}
            onClick={() => send(false)}
          >
            {t("import.apply")}
          </button>
        )}
      </div>
    </section>
  )
}
