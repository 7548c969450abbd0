/**
 * Loaded before every test file (`--import`): properties draw from TEST_SEED, which house/test.ts derives from the tree. So
 * every change is tested with fresh values, and whatever CI finds is found here too, by the same command on the same tree.
 */
import process from "node:process"
import fc from "fast-check"

const asked = process.env["TEST_SEED"]
if (asked !== undefined) fc.configureGlobal({ seed: Number(asked) | 0 })
