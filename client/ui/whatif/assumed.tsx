/** What an answer rests on and nobody measured, in the engine's own words: closed until somebody doubts. */
import { tCount } from "#client/i18n/translate.ts"
import { Said } from "#client/ui/said.tsx"

export const Assumed = ({ lines }: { lines: readonly string[] }) =>
  lines.length === 0 ? null : (
    <details class="assumed">
      <summary>{tCount("whatif.assumptions.count", lines.length)}</summary>
      <ul class="sim-assumed">
        {lines.map((one, at) => (
          <li key={at}>
            <Said text={one} lead />
          </li>
        ))}
      </ul>
    </details>
  )
