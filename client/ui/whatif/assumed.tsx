/** What an answer rests on and nobody measured, in the engine's own words: closed until somebody doubts. */
import { tCount } from "#client/i18n/translate.ts"

export const Assumed = ({ lines }: { lines: readonly string[] }) =>
  lines.length === 0 ? null : (
    <details class="assumed">
      <summary>{tCount("whatif.assumptions.count", lines.length)}</summary>
      <ul class="sim-assumed" lang="en">
        {lines.map((one, at) => (
          <li key={at}>{one}</li>
        ))}
      </ul>
    </details>
  )
