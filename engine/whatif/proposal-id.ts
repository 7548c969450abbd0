/** A proposal's ends as an id that fits a path: the same ends, the same id, on every engine. */
import { createHash } from "node:crypto"

export const proposalId = (ends: string): string => createHash("sha256").update(ends).digest("hex").slice(0, 32)
