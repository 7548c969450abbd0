/** Breaks, in the branch of a replay, what is selected; or mends it again. Seen only by whoever steers the branch. */
import { t } from "#client/i18n/translate.ts"
import { branch, holdsFaults, toggleFaults } from "#client/state/branch.ts"
import { replay } from "#client/state/replay.ts"
import type { Fault } from "#protocol/rest-generated.ts"

export const BranchFault = ({ faults }: { faults: readonly Fault[] }) =>
  branch.value === null || replay.value?.mine !== true ? null : (
    <button type="button" class="button branch-fault" onClick={() => void toggleFaults(faults)}>
      {t(holdsFaults(faults) ? "branch.mend" : "branch.break")}
    </button>
  )
