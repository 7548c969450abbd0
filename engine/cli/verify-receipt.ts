/** `heliograph verify-receipt FILE`: re-checks a decision receipt on any machine; needs no engine and no database. */
import { readFileSync } from "node:fs"
import type { Command } from "#engine/cli/command.ts"
import { escapeText } from "#engine/log.ts"

const HELP = `usage: heliograph verify-receipt FILE [--json]

Re-checks the receipt of an alert's decision (GET /api/v1/alerts/ID/receipt): that nothing in it was changed, that the
rule is the one that it names, that its condition was as true as it says, and that the alert moved as the rule's life says.
  --json   one JSON object
  --help   this text

Exit codes: 0 accepted, 1 rejected, or not enough in it to tell; 2 wrong words or file.`

export const verifyReceiptCommand: Command = {
  name: "verify-receipt",
  summary: "re-check why an alert fired, without the engine",
  help: () => HELP,
  words: ["FILE"],
  options: { json: { type: "boolean" } },
  run: async ({ words: [file = ""], options }, io) => {
    let json: unknown
    try {
      json = JSON.parse(readFileSync(file === "-" ? 0 : file, "utf8"))
    } catch (cause) {
      const why = cause instanceof SyntaxError ? "is not JSON" : "cannot be read"
      io.err(`heliograph verify-receipt: ${file} ${why}`)
      return 2
    }
    const { UNCHECKED, verifyReceipt } = await import("#engine/rules/receipt-verdict.ts")
    const { verdict, reasons } = verifyReceipt(json)
    if (options["json"] === true) io.out(JSON.stringify({ verdict, reasons, unchecked: UNCHECKED }))
    else {
      io.out(verdict)
      for (const reason of reasons) io.out(`  ${escapeText(reason)}`)
      if (verdict === "accepted") io.out(`not provable from a receipt: ${UNCHECKED.join("; ")}`)
    }
    return verdict === "accepted" ? 0 : 1
  },
}
