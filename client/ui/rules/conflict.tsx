/** Somebody else stored the rule meanwhile: what differs, and the choice between theirs and mine. Nothing is overwritten unseen. */
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { diffOf } from "#client/state/audit-diff.ts"
import { indexed } from "#client/state/rule-doc.ts"
import { useAsk } from "#client/ui/ask.ts"
import { Loaded } from "#client/ui/table.tsx"

export const Conflict = (props: {
  id: string
  mine: unknown
  takeTheirs: () => void
  /** With the mark of what was just seen: a third writer is seen again. */
  keepMine: (etag: string | null) => void
}) => {
  const theirs = useAsk(() => call("alertRules.get", { params: { id: props.id } }), props.id)
  return (
    <div class="problem conflict" role="alert">
      <b>{t("rules.conflict")}</b>
      <Loaded asked={theirs}>
        {(row) => (
          <>
            <p>{t("rules.conflict.why", { name: row.updatedBy ?? "?" })}</p>
            <div class="diff">
              <dl>
                {diffOf(changeOf(row.rule), changeOf(props.mine)).map(({ path, before, after }) => (
                  <div key={path}>
                    <dt class="mono">{path}</dt>
                    <dd>
                      {before !== null && <del>{before}</del>}
                      {after !== null && <ins>{after}</ins>}
                    </dd>
                  </div>
                ))}
              </dl>
            </div>
            <div class="form-end">
              <button type="button" class="button" onClick={props.takeTheirs}>
                {t("rules.conflict.theirs")}
              </button>
              <button type="button" class="primary danger" onClick={() => props.keepMine(theirs.etag)}>
                {t("rules.conflict.mine")}
              </button>
            </div>
          </>
        )}
      </Loaded>
    </div>
  )
}

const changeOf = (json: unknown): Readonly<Record<string, unknown>> =>
  typeof json === "object" && json !== null ? (indexed(json) as Readonly<Record<string, unknown>>) : {}
