/**
 * Passwords as argon2id PHC strings, with OWASP's first choice of cost (m = 19 MiB, t = 2, p = 1: about 40 ms of a core
 * and 19 MiB each). At most four are computed at once, so that a storm of logins cannot take the machine's memory.
 */
import { argon2, randomBytes, timingSafeEqual } from "node:crypto"

interface Cost {
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
}
const COST: Cost = { memory: 19_456, passes: 2, parallelism: 1 }
const HASH_BYTES = 32
const MAX_AT_ONCE = 4
/** Logins that may wait for their turn; one more is refused with PasswordBusy. */
const MAX_WAITING = 64
/** Longer passwords are refused instead of hashed for ever. UTF-16 units. */
export const MAX_PASSWORD = 1_000

export class PasswordBusy extends Error {
  readonly _tag = "PasswordBusy"
  override readonly message = "too many logins at once: try again in a second"
}

export const hashPassword = async (password: string): Promise<string> => {
  const salt = randomBytes(16)
  const hash = await derive(password, salt, COST, HASH_BYTES)
  const cost = `m=${COST.memory},t=${COST.passes},p=${COST.parallelism}`
  return `$argon2id$v=19$${cost}$${base64(salt)}$${base64(hash)}`
}

/** False for a wrong password and for a string that is no hash of ours. */
export const verifyPassword = async (password: string, phc: string): Promise<boolean> => {
  const parts = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(phc)
  if (parts === null || password.length > MAX_PASSWORD) return false
  const [, memory, passes, parallelism, salt, hash] = parts as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  const expected = Buffer.from(hash, "base64")
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) }
  const actual = await derive(password, Buffer.from(salt, "base64"), cost, expected.length)
  return timingSafeEqual(actual, expected)
}

/** Takes as long as a real check: whether a name exists must not show in the time of an answer. */
export const verifyNobody = async (password: string): Promise<false> => {
  await verifyPassword(password.slice(0, MAX_PASSWORD), await (nobody ??= hashPassword("nobody")))
  return false
}
let nobody: Promise<string> | null = null

const derive = async (password: string, salt: Buffer, cost: Cost, bytes: number): Promise<Buffer> => {
  await turn()
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      argon2("argon2id", { message: password, nonce: salt, tagLength: bytes, ...cost }, (error, key) =>
        error === null ? resolve(key) : reject(error),
      )
    })
  } finally {
    running--
    waiting.shift()?.()
  }
}

let running = 0
const waiting: Array<() => void> = []
const turn = async (): Promise<void> => {
  if (running >= MAX_AT_ONCE) {
    if (waiting.length >= MAX_WAITING) throw new PasswordBusy()
    await new Promise<void>((resolve) => waiting.push(resolve))
  }
  running++
}

const base64 = (bytes: Buffer): string => bytes.toString("base64").replaceAll("=", "")
