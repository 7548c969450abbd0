/**
 * What a person does with an incident: take it, work on it, write, escalate, close, say what it was. Buttons and keys come
 * here; what needs words opens a dialog. What the engine would refuse is not offered.
 */
import { useSignal, useSignalEffect } from "@preact/signals"
import type { Signal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { acted, incidentWish } from "#client/state/incidents.ts"
import type { IncidentWish } from "#client/state/incidents.ts"
import { can } from "#client/state/places.ts"
import { session } from "#client/state/session.ts"
import { useAct } from "#client/ui/ask.ts"
import type { Act } from "#client/ui/ask.ts"
import { Problem } from "#client/ui/form.tsx"
import { AssignDialog } from "#client/ui/incidents/assign-dialog.tsx"
import { CloseDialog, EscalateDialog, NoteDialog } from "#client/ui/incidents/word-dialogs.tsx"
import type { IncidentRow, IncidentView } from "#protocol/incident.ts"

/** What acts need to know: a row of the list or the open incident. */
export type Actable = Pick<IncidentRow, "id" | "title" | "state" | "ack" | "assignee" | "escalated">
type Asked = "assign" | "note" | "escalate" | "close"

const NEEDS = {
  ack: "incidentAck",
  mine: "incidentAssign",
  assign: "incidentAssign",
  note: "incidentNote",
  escalate: "incidentEscalate",
  close: "incidentClose",
} as const

/** Over is over: only words are added. */
const offered = (wish: IncidentWish, { state, escalated }: Actable): boolean =>
  can(NEEDS[wish]) && (wish === "note" || (state !== "closed" && !(wish === "escalate" && escalated)))

const me = (): string => session.peek()?.user.name ?? ""

const runWish = (wish: IncidentWish, target: Actable, act: Act, asked: Signal<Asked | null>): void => {
  if (!offered(wish, target)) return
  const { id, ack, assignee } = target
  if (wish === "ack" && ack === null) {
    void act.run(() => call("incidents.acknowledge", { params: { id }, body: {} }), acted)
  } else if (wish === "ack") {
    void act.run(
      () => call("incidents.withdraw", { params: { id } }),
      () => acted(null),
    )
  } else if (wish === "mine") {
    const user = assignee === me() ? null : me()
    void act.run(() => call("incidents.assign", { params: { id }, body: { user } }), acted)
  } else asked.value = wish
}

/** The keys' wishes, done to whatever `target` gives; draws the dialog that is asked for. */
export const useIncidentActs = (target: () => Actable | null) => {
  const act = useAct()
  const asked = useSignal<Asked | null>(null)
  useSignalEffect(() => {
    const wish = incidentWish.value
    if (wish === null) return
    incidentWish.value = null
    const on = target()
    if (on !== null) runWish(wish, on, act, asked)
  })
  const on = target()
  const close = () => (asked.value = null)
  const dialog =
    on === null || asked.value === null ? null : asked.value === "assign" ? (
      <AssignDialog incident={on} close={close} />
    ) : asked.value === "note" ? (
      <NoteDialog incident={on} close={close} />
    ) : asked.value === "escalate" ? (
      <EscalateDialog incident={on} close={close} />
    ) : (
      <CloseDialog incident={on} close={close} />
    )
  return { act, dialog, run: (wish: IncidentWish, to: Actable) => runWish(wish, to, act, asked) }
}

interface ActsProps {
  readonly view: IncidentView
  readonly act: Act
  readonly run: (wish: IncidentWish) => void
  /** The keys work on the incidents' own screen only. */
  readonly keys: boolean
}
export const IncidentActs = ({ view, run, act, keys }: ActsProps) => {
  const button = (wish: IncidentWish, label: string, key: string, primary = false) =>
    offered(wish, view) && (
      <button
        type="button"
        class={primary ? "primary" : "button"}
        aria-disabled={act.busy}
        data-act={wish}
        onClick={() => run(wish)}
      >
        {label} {keys && key !== "" && <kbd>{key}</kbd>}
      </button>
    )
  return (
    <div class="incident-acts">
      {button("ack", t(view.ack === null ? "incident.ack" : "incident.unack"), "a", view.ack === null)}
      {button("mine", t(view.assignee === me() ? "incident.unassign" : "incident.assign.me"), "g")}
      {button("assign", t("incident.assign"), "")}
      {button("note", t("incident.note"), "n")}
      {button("escalate", t("incident.escalate"), "e")}
      {button("close", t("incident.close"), "c")}
      <Problem text={act.problem} />
    </div>
  )
}
