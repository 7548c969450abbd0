/**
 * The token of an invitation link, `#/invitation?token=...`: a fragment never travels to a server, so it stands in no log.
 * It is read once and taken out of the address bar and the history at once.
 */
import { signal } from "@preact/signals"

/** Longer ones are no token of ours. */
const TOKEN_MAX = 128
/** Null = this is no invitation link. */
export const invitationToken = signal<string | null>(null)

/** The name of who has just become a user by one: the sign-in greets them with it. */
export const newUser = signal<string | null>(null)

export const tokenOf = (hash: string): string | null => {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?")
  if (path !== "invitation") return null
  const token = new URLSearchParams(query).get("token") ?? ""
  return token === "" || token.length > TOKEN_MAX ? null : token
}
export const invitationLink = (token: string): string =>
  `${location.origin}/#/invitation?token=${encodeURIComponent(token)}`

export const followInvitation = (): void => {
  const read = () => {
    const token = tokenOf(location.hash)
    if (token === null) return
    invitationToken.value = token
    history.replaceState(null, "", "#/invitation")
  }
  read()
  window.addEventListener("hashchange", read)
}
