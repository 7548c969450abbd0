/** Filters of the audit, the proof of its chain in words, and the signed export as two files. */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { can } from "#client/state/places.ts"
import { useAct } from "#client/ui/ask.ts"
import { Field, Problem } from "#client/ui/form.tsx"
import { MarkIcon } from "#client/ui/icons.tsx"
import { saveFile } from "#client/ui/once.tsx"
import type { AuditFilter } from "#client/screens/admin/audit.tsx"
import type { AnswerOf } from "#protocol/rest.ts"

type Verdict = AnswerOf<"audit.verify">

export const AuditTools = (props: {
  filter: AuditFilter
  range: { from: number | undefined; to: number | undefined }
  apply: (filter: AuditFilter) => void
  reload: () => Promise<void>
}) => {
  const act = useAct()
  const verdict = useSignal<Verdict | null>(null)
  const exported = useSignal<number | null>(null)
  const { from, to } = props.range
  const exportAll = () =>
    void act.run(
      () =>
        call("audit.export", {
          body: { ...(from === undefined ? {} : { fromMs: from }), ...(to === undefined ? {} : { toMs: to }) },
        }),
      async ({ lines, rows, signature, keyId }) => {
        saveFile("audit.jsonl", "application/x-ndjson", lines)
        saveFile("audit.signature.json", "application/json", `${JSON.stringify({ keyId, signature, rows }, null, 2)}\n`)
        exported.value = rows
        await props.reload()
      },
    )
  return (
    <>
      <Filters filter={props.filter} apply={props.apply} />
      <div class="tools">
        <button
          type="button"
          class="button"
          aria-disabled={act.busy}
          onClick={() =>
            void act.run(
              () => call("audit.verify"),
              (value) => void (verdict.value = value),
            )
          }
        >
          {t(act.busy ? "form.busy" : "audit.verify")}
        </button>
        {can("auditExport") && (
          <button type="button" class="button" aria-disabled={act.busy} onClick={exportAll}>
            {t("audit.export")}
          </button>
        )}
        {exported.value !== null && (
          <span class="quiet" role="status">
            {t("audit.exported", { count: exported.value })}
          </span>
        )}
      </div>
      <Problem text={act.problem} />
      {verdict.value !== null && <VerdictLine verdict={verdict.value} />}
    </>
  )
}

const VerdictLine = ({ verdict }: { verdict: Verdict }) => (
  <p class={verdict.intact ? "notice" : "problem"} role="status" data-testid="verdict">
    <MarkIcon mark={verdict.intact ? "ok" : "critical"} size={12} />{" "}
    {verdict.intact
      ? t("audit.intact", { count: verdict.rows })
      : t("audit.broken", { seq: verdict.brokenAtSeq ?? "?", reason: verdict.problem ?? "" })}
    {verdict.head !== null && <code class="raw">{`${verdict.head.seq} · ${verdict.head.hash}`}</code>}
  </p>
)

const Filters = ({ filter, apply }: { filter: AuditFilter; apply: (filter: AuditFilter) => void }) => {
  const fields = {
    from: useSignal(filter.from),
    to: useSignal(filter.to),
    actor: useSignal(filter.actor),
    action: useSignal(filter.action),
    object: useSignal(filter.object),
  }
  const send = (event: Event) => {
    event.preventDefault()
    apply({
      from: fields.from.value,
      to: fields.to.value,
      actor: fields.actor.value,
      action: fields.action.value,
      object: fields.object.value,
    })
  }
  return (
    <form class="filters" onSubmit={send} aria-label={t("audit.filter")}>
      <Field label={t("audit.from")} name="from" type="datetime-local" required={false} value={fields.from} />
      <Field label={t("audit.to")} name="to" type="datetime-local" required={false} value={fields.to} />
      <Field label={t("audit.actor")} name="actor" maxLength={200} required={false} value={fields.actor} />
      <Field label={t("audit.action")} name="action" maxLength={64} required={false} mono value={fields.action} />
      <Field label={t("audit.object")} name="object" maxLength={200} required={false} value={fields.object} />
      <button type="submit" class="button">
        {t("audit.apply")}
      </button>
    </form>
  )
}
