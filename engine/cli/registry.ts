/** Every command of `heliograph`. A new one is a file beside this and a line here. */
import { auditCommand } from "#engine/cli/audit.ts"
import { apiCommand } from "#engine/cli/api.ts"
import { auditRlsCommand } from "#engine/cli/audit-rls.ts"
import { backupCommand, restoreCommand } from "#engine/cli/backup.ts"
import type { Command } from "#engine/cli/command.ts"
import { configCommand } from "#engine/cli/config.ts"
import { deviceCommand } from "#engine/cli/device.ts"
import { importCommand } from "#engine/cli/import.ts"
import { probeCommand } from "#engine/cli/probe.ts"
import { proveIsolationCommand } from "#engine/cli/prove-isolation.ts"
import { replayCommand } from "#engine/cli/replay.ts"
import { rulesCommand } from "#engine/cli/rules.ts"
import { startCommand } from "#engine/cli/start.ts"
import { statusCommand } from "#engine/cli/status.ts"
import { verifyReceiptCommand } from "#engine/cli/verify-receipt.ts"
import { vaultCommand } from "#engine/cli/vault.ts"
import { tenantCommand } from "#engine/cli/tenant.ts"
import { topologyCommand } from "#engine/cli/topology.ts"
import { whatIfCommand } from "#engine/cli/whatif.ts"

export const COMMANDS: readonly Command[] = [
  startCommand,
  importCommand,
  statusCommand,
  deviceCommand,
  probeCommand,
  apiCommand,
  configCommand,
  auditCommand,
  auditRlsCommand,
  proveIsolationCommand,
  backupCommand,
  restoreCommand,
  vaultCommand,
  replayCommand,
  rulesCommand,
  verifyReceiptCommand,
  tenantCommand,
  whatIfCommand,
  topologyCommand,
]
