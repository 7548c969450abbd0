/** What lasts for days, or a month's occurrence: a stripe over its days, cut where the week ends before it does. */
import type { Stripe } from "#client/state/calendar.ts"
import type { Planned } from "#client/ui/maintenance/planned.ts"
import { clockWord, kindWord, spanWord } from "#client/ui/maintenance/words.ts"

export const PlanStripe = (props: {
  zone: string
  stripe: Stripe<Planned>
  /** Of the grid: its first day's column, and the row of lane 0. */
  column: number
  row: number
  open: string | null
  choose: (window: string) => void
}) => {
  const { stripe, zone } = props
  const { window, fromMs, toMs } = stripe.entry
  const time = spanWord(zone, fromMs, toMs)
  return (
    <button
      type="button"
      class={`plan-bar stripe kind-${window.kind} state-${window.changeState ?? "none"} ${window.id === props.open ? "open" : ""} ${stripe.begins ? "" : "cut-start"} ${stripe.ends ? "" : "cut-end"}`}
      data-window={window.id}
      title={`${window.title} · ${time} · ${kindWord(window)}`}
      style={{
        gridColumn: `${stripe.first + props.column} / ${stripe.last + props.column + 1}`,
        gridRow: stripe.lane + props.row,
      }}
      onClick={() => props.choose(window.id)}
    >
      {stripe.begins && <span class="num">{clockWord(zone, fromMs)}</span>} <b>{window.title}</b>
      <span class="unseen">{kindWord(window)}</span>
    </button>
  )
}
