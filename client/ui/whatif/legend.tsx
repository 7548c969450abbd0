/** What the simulation's marks mean: the same shapes that the canvas draws. */
import { t } from "#client/i18n/translate.ts"

export const SimLegend = () => (
  <ul class="sim-legend legend panel" data-taken aria-label={t("legend.label")}>
    <li>
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" class="sim-ink">
        <circle cx="8" cy="8" r="6.4" fill="none" stroke="currentColor" stroke-width="1.6" />
        <path d="m5 5 6 6M11 5l-6 6" stroke="currentColor" stroke-width="1.8" />
      </svg>
      {t("whatif.legend.failed")}
    </li>
    <li>
      <svg width="22" height="10" viewBox="0 0 22 10" aria-hidden="true" class="sim-ink">
        <path d="M1 3h20M1 7h20" stroke="currentColor" stroke-width="1.6" stroke-dasharray="6 3" />
      </svg>
      {t("whatif.legend.drained")}
    </li>
    <li>
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" class="mark-critical">
        <circle cx="8" cy="8" r="5.6" fill="none" stroke="currentColor" stroke-width="1.6" />
        <path d="M4 10 10 4M5.5 12 12 5.500M3.400 7 7 3.400" stroke="currentColor" />
      </svg>
      {t("whatif.legend.cut")}
    </li>
    <li>
      <svg width="24" height="10" viewBox="0 0 24 10" aria-hidden="true" class="mark-major">
        <path d="M1 5h22" stroke="currentColor" stroke-width="4" />
        <path d="M10 0l8 5-8 5z" fill="currentColor" />
      </svg>
      {t("whatif.legend.full")}
    </li>
    <li>
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" class="sim-exit">
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.5 2.5" />
      </svg>
      {t("whatif.legend.exit")}
    </li>
  </ul>
)
