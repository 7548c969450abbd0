/** A plain table of an administration list: columns by their headings, loading and problems in words, more on request. */
import type { ComponentChildren } from "preact"
import { t } from "#client/i18n/translate.ts"
import type { Asked } from "#client/ui/ask.ts"
import { Problem } from "#client/ui/form.tsx"

export const Sheet = (props: { label: string; columns: readonly string[]; children: ComponentChildren }) => (
  <div class="sheet panel" tabIndex={0} role="region" aria-label={props.label}>
    <table class="table">
      <thead>
        <tr>
          {props.columns.map((column, at) => (
            <th key={at} scope="col">
              {column === "" ? <span class="unseen">{t("table.actions")}</span> : column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{props.children}</tbody>
    </table>
  </div>
)

/** Draws the value when it is there; what is wrong stands above it. */
export const Loaded = <T,>({ asked, children }: { asked: Asked<T>; children: (value: T) => ComponentChildren }) => (
  <>
    {asked.problem !== null && (
      <div class="row-line">
        <Problem text={asked.problem} />
        <button type="button" class="text-button" onClick={() => void asked.reload()}>
          {t("table.again")}
        </button>
      </div>
    )}
    {asked.value === null
      ? asked.problem === null && (
          <p class="calm quiet" role="status">
            {t("panel.loading")}
          </p>
        )
      : children(asked.value)}
  </>
)
