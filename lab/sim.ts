/**
 * `npm run sim`: runs of the whole engine on one virtual clock (lab/sim/cli.ts), or with `--real` seeded faults against a
 * real engine over sockets (lab/sim/real.ts).
 */
import process from "node:process"
import { simCommand } from "#lab/sim/cli.ts"
import { runReal } from "#lab/sim/real.ts"

const args = process.argv.slice(2)
process.exitCode = args.includes("--real")
  ? await runReal(args.filter((arg) => arg !== "--real"))
  : await simCommand(args)
