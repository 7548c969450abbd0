/** The severity in the map's shape; what recovers or is over is hollow, so that shape says the state, too. */
import { MarkIcon } from "#client/ui/icons.tsx"
import { markOfIncident } from "#client/ui/incidents/words.ts"
import type { IncidentRow } from "#protocol/incident.ts"

export const IncidentMark = ({ row, size = 16 }: { row: Pick<IncidentRow, "severity" | "state">; size?: number }) => {
  const mark = markOfIncident(row)
  if (row.state === "open") return <MarkIcon mark={mark} size={size} />
  return (
    <svg class={`mark mark-${mark}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <circle cx="8" cy="8" r="5" fill="none" stroke="currentColor" stroke-width="2" />
    </svg>
  )
}

/** How sure the twin is; the number is beside it, so that the bar is for the eye only. */
export const SureBar = ({ confidence }: { confidence: number }) => (
  <span class="sure" aria-hidden="true">
    <svg viewBox="0 0 100 6" preserveAspectRatio="none">
      <rect class="sure-track" width="100" height="6" rx="3" />
      <rect class="sure-part" width={Math.max(3, Math.min(100, confidence * 100))} height="6" rx="3" />
    </svg>
  </span>
)
