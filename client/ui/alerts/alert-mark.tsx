/** The severity in the map's shape; what only waits is the same colour as a hollow ring: shape says the state, too. */
import { markOfSeverityWord } from "#client/ui/alerts/words.ts"
import { MarkIcon } from "#client/ui/icons.tsx"
import type { Alert } from "#protocol/rest-generated.ts"

export const AlertMark = ({ alert, size = 14 }: { alert: Pick<Alert, "severity" | "state">; size?: number }) => {
  const mark = markOfSeverityWord(alert.severity)
  if (alert.state === "firing" || alert.state === "recovering") return <MarkIcon mark={mark} size={size} />
  return (
    <svg class={`mark mark-${mark}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <circle cx="8" cy="8" r="5" fill="none" stroke="currentColor" stroke-width="2" />
    </svg>
  )
}
