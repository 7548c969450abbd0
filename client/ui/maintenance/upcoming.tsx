/** What silences now and what comes next, as a list: the calendar's twin in text, and the keyboard's way through it. */
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { allPages } from "#client/state/pages.ts"
import { useAsk } from "#client/ui/ask.ts"
import { kindWord, longSpanWord } from "#client/ui/maintenance/words.ts"
import { scopeText } from "#client/ui/rules/scope-editor.tsx"
import { Loaded } from "#client/ui/table.tsx"
import type { MaintenanceRow } from "#protocol/rest-generated.ts"

/** Rows of the list; the calendar shows the rest. */
const ROWS = 60

const soonest = (a: MaintenanceRow, b: MaintenanceRow): number =>
  Number(b.active) - Number(a.active) || (a.next?.fromMs ?? Infinity) - (b.next?.fromMs ?? Infinity)

export const Upcoming = (props: { turn: number; zone: string; choose: (id: string) => void }) => {
  const asked = useAsk(
    () => allPages((cursor) => call("maintenance.list", { query: { limit: 1_000, when: "current", cursor } })),
    `${props.turn}`,
  )
  return (
    <aside class="panel upcoming" aria-labelledby="upcoming-title">
      <header class="side-head">
        <h2 id="upcoming-title">{t("maintenance.upcoming")}</h2>
        <span class="count num">{asked.value?.length ?? ""}</span>
      </header>
      <Loaded asked={asked}>
        {(rows) =>
          rows.length === 0 ? (
            <p class="calm quiet">{t("maintenance.none")}</p>
          ) : (
            <ul class="rows" data-list>
              {[...rows]
                .sort(soonest)
                .slice(0, ROWS)
                .map((row) => (
                  <li key={row.window.id}>
                    <button
                      type="button"
                      class="row"
                      data-row
                      data-id={row.window.id}
                      onClick={() => props.choose(row.window.id)}
                    >
                      <i class={`plan-dot kind-${row.window.kind}`} />
                      <span class="row-main">
                        <span class="row-title">{row.window.title}</span>
                        <span class="row-detail">
                          {row.active && <b class="word-maintenance">{t("window.active")}</b>}
                          {row.next !== null && (
                            <span class="num">{longSpanWord(props.zone, row.next.fromMs, row.next.toMs)}</span>
                          )}
                          <span>{kindWord(row.window)}</span>
                          <span class="quiet">{scopeText(row.window.scope)}</span>
                        </span>
                      </span>
                    </button>
                  </li>
                ))}
            </ul>
          )
        }
      </Loaded>
    </aside>
  )
}
