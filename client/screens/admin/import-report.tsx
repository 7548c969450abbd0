/** What an import would do or has done, as counts and names; or its mistakes, line by line. */
import { language, t, tCount } from "#client/i18n/translate.ts"
import type { Mistakes } from "#client/state/import-format.ts"
import { formatNumber } from "#client/ui/format.ts"
import type { ImportReport } from "#protocol/rest-generated.ts"

const KINDS = ["sites", "devices", "links", "structure"] as const
const COUNTS = ["added", "updated", "unchanged", "removed"] as const
const NAMED = ["removed", "added", "updated"] as const

export const ImportReportView = ({ report }: { report: ImportReport }) => (
  <div class="report" role="status" data-testid="import-report">
    <p class="notice">{t(report.dryRun ? "import.would" : "import.did")}</p>
    <table class="table">
      <thead>
        <tr>
          <th scope="col">{t("import.kind")}</th>
          {COUNTS.map((count) => (
            <th key={count} scope="col" class="right">
              {t(`import.${count}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {KINDS.map((kind) => [kind, report[kind]] as const).map(
          ([kind, change]) =>
            change !== undefined && (
              <tr key={kind}>
                <th scope="row">{t(`import.${kind}`)}</th>
                {COUNTS.map((count) => (
                  <td
                    key={count}
                    class={`right num ${count === "removed" && change.removed > 0 ? "word-critical strong" : ""}`}
                  >
                    {formatNumber(language.value, change[count])}
                  </td>
                ))}
              </tr>
            ),
        )}
      </tbody>
    </table>
    {NAMED.filter((what) => report.preview[what].length > 0).map((what) => (
      <details key={what} class="names" open={what === "removed"}>
        <summary>
          {t(`import.${what}`)} <span class="count num">{report.preview[what].length}</span>
        </summary>
        <p class="mono">{report.preview[what].join(", ")}</p>
      </details>
    ))}
  </div>
)

export const ImportMistakes = ({ mistakes }: { mistakes: Mistakes }) => (
  <div class="mistakes" role="alert" data-testid="mistakes">
    <p class="problem">{tCount("import.mistakes", mistakes.total)}</p>
    <table class="table">
      <thead>
        <tr>
          <th scope="col" class="right">
            {t("import.line")}
          </th>
          <th scope="col">{t("import.where")}</th>
          <th scope="col">{t("import.what")}</th>
        </tr>
      </thead>
      <tbody>
        {mistakes.rows.map(({ line, path, message }, at) => (
          <tr key={at}>
            <td class="right num">{line}</td>
            <td class="mono">{path}</td>
            <td>{message}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
)
