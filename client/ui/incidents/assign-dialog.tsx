/** Who works on an incident: one of the people who may see it, as the engine lists them, or nobody. */
import { useSignal } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { acted } from "#client/state/incidents.ts"
import { allPages } from "#client/state/pages.ts"
import { useAct } from "#client/ui/ask.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { Form, Problem } from "#client/ui/form.tsx"
import type { Actable } from "#client/ui/incidents/incident-acts.tsx"
import { problemText } from "#client/ui/problem-text.ts"

const PAGE = 1_000
const NOBODY = ""

export const AssignDialog = ({ incident, close }: { incident: Actable; close: () => void }) => {
  const act = useAct()
  const { id } = incident
  const people = useSignal<readonly string[] | null>(null)
  const problem = useSignal<string | null>(null)
  const chosen = useSignal(incident.assignee ?? NOBODY)
  useEffect(() => {
    const read = async () => {
      const query = (cursor: string | undefined) => ({ limit: PAGE, cursor })
      const answer = await allPages((cursor) => call("incidents.assignees", { params: { id }, query: query(cursor) }))
      if (answer.ok) people.value = answer.value.map(({ name }) => name)
      else problem.value = problemText(answer)
    }
    void read()
  }, [id])
  const names = people.value ?? []
  // Whoever has it now may have lost their sight of it: the choice still shows who it is.
  const listed = incident.assignee === null || names.includes(incident.assignee) ? names : [incident.assignee, ...names]
  return (
    <Dialog title={t("incident.assign.title")} close={close}>
      <Form
        act={act}
        label={t("incident.assign.do")}
        cancel={close}
        disabled={people.value === null}
        submit={() =>
          void act.run(
            () =>
              call("incidents.assign", {
                params: { id },
                body: { user: chosen.value === NOBODY ? null : chosen.value },
              }),
            (view) => {
              close()
              acted(view)
            },
          )
        }
      >
        <p>
          <b>{incident.title}</b>
        </p>
        <Problem text={problem.value} />
        <label class="field">
          <span>{t("incident.assign.who")}</span>
          <select
            name="assignee"
            value={chosen.value}
            onChange={(event) => (chosen.value = event.currentTarget.value)}
            autofocus
          >
            <option value={NOBODY}>{t("incident.assign.nobody")}</option>
            {listed.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </Form>
    </Dialog>
  )
}
