/** The record of every act: newest first, filtered, each opened field by field; proven and exported. */
import { useSignal } from "@preact/signals"
import { language, t, tCount } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { diffOf } from "#client/state/audit-diff.ts"
import { joinPages } from "#client/state/pages.ts"
import type { Page } from "#client/state/pages.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { formatDateTime } from "#client/ui/format.ts"
import { Problem } from "#client/ui/form.tsx"
import { Loaded, Sheet } from "#client/ui/table.tsx"
import { AuditTools } from "#client/screens/admin/audit-tools.tsx"
import type { AuditEntry } from "#protocol/rest-generated.ts"

const PAGE = 50
const seqOf = ({ seq }: AuditEntry): string => String(seq)

export interface AuditFilter {
  readonly from: string
  readonly to: string
  readonly actor: string
  readonly action: string
  readonly object: string
}
const NO_FILTER: AuditFilter = { from: "", to: "", actor: "", action: "", object: "" }
const timeOf = (text: string): number | undefined => {
  const at = new Date(text).getTime()
  return text === "" || Number.isNaN(at) ? undefined : at
}
const textOf = (text: string): string | undefined => (text.trim() === "" ? undefined : text.trim())

export const AuditTab = () => {
  const filter = useSignal<AuditFilter>(NO_FILTER)
  const more = useSignal<Page<AuditEntry> | null>(null)
  const act = useAct()
  const range = { from: timeOf(filter.value.from), to: timeOf(filter.value.to) }
  const list = (cursor?: string) => {
    const { actor, action, object } = filter.value
    const words = { actor: textOf(actor), action: textOf(action), object: textOf(object) }
    return call("audit.list", { query: { limit: PAGE, cursor, ...range, ...words } })
  }
  const asked = useAsk(() => list(), JSON.stringify(filter.value))
  return (
    <>
      <AuditTools
        filter={filter.value}
        range={range}
        apply={(next) => {
          more.value = null
          filter.value = next
        }}
        reload={asked.reload}
      />
      <Problem text={act.problem} />
      <Loaded asked={asked}>
        {(first) => {
          const page = more.value === null ? first : joinPages(first, more.value, seqOf)
          if (page.items.length === 0) return <p class="calm quiet">{t("audit.none")}</p>
          const load = () =>
            void act.run(
              () => list(page.next ?? undefined),
              (next) => {
                more.value = more.value === null ? next : joinPages(more.value, next, seqOf)
              },
            )
          return (
            <>
              <Sheet
                label={t("audit.title")}
                columns={[
                  "#",
                  t("audit.time"),
                  t("audit.actor"),
                  t("audit.action"),
                  t("audit.object"),
                  t("audit.change"),
                ]}
              >
                {page.items.map((entry) => (
                  <Entry key={entry.seq} entry={entry} />
                ))}
              </Sheet>
              {page.next !== null && (
                <button type="button" class="text-button older" onClick={load}>
                  {t("events.older")}
                </button>
              )}
            </>
          )
        }}
      </Loaded>
    </>
  )
}

const Entry = ({ entry }: { entry: AuditEntry }) => {
  const { actor, object } = entry
  return (
    <tr>
      <td class="num quiet">{entry.seq}</td>
      <td class="num">{formatDateTime(language.value, entry.atMs)}</td>
      <td>
        <b>{actor.name}</b> <small class="quiet">{t(`audit.kind.${actor.kind}`)}</small>
        {actor.source !== null && <small class="cell-detail quiet mono">{actor.source}</small>}
      </td>
      <td class="mono">{entry.action}</td>
      <td>
        {object.name} <small class="cell-detail quiet mono">{object.kind}</small>
      </td>
      <td>
        <Diff entry={entry} />
      </td>
    </tr>
  )
}

const Diff = ({ entry }: { entry: AuditEntry }) => {
  const changes = diffOf(entry.before, entry.after)
  return (
    <>
      {entry.reason !== null && <p>“{entry.reason}”</p>}
      <details class="diff">
        <summary>{tCount("audit.fields", changes.length)}</summary>
        {changes.length > 0 && (
          <dl>
            {changes.map(({ path, before, after }) => (
              <div key={path}>
                <dt class="mono">{path}</dt>
                <dd>
                  {before !== null && (
                    <del>
                      <span class="unseen">{t("audit.before")}</span>
                      {before}
                    </del>
                  )}
                  {after !== null && (
                    <ins>
                      <span class="unseen">{t("audit.after")}</span>
                      {after}
                    </ins>
                  )}
                </dd>
              </div>
            ))}
          </dl>
        )}
        <code class="raw">{entry.hash}</code>
      </details>
    </>
  )
}
