/** A credential as the engine takes it (engine/import/schema.json): only the fields that its kind and level have. Pure. */
export interface CredentialFields {
  readonly version: string
  readonly community: string
  readonly user: string
  /** "" = none. */
  readonly authProtocol: string
  readonly authPassword: string
  /** "" = none; there is no privacy without authentication (RFC 3414). */
  readonly privProtocol: string
  readonly privPassword: string
  readonly password: string
  /** "" = the protocol's own. */
  readonly port: string
  readonly tls: boolean
}

export const credentialBody = (
  kind: "snmp" | "routeros",
  fields: CredentialFields,
): Readonly<Record<string, unknown>> => {
  const port = fields.port.trim() === "" ? {} : { port: Number(fields.port) }
  if (kind === "routeros") return { user: fields.user, password: fields.password, tls: fields.tls, ...port }
  if (fields.version === "2c") return { version: "2c", community: fields.community, ...port }
  const auth =
    fields.authProtocol === "" ? {} : { authProtocol: fields.authProtocol, authPassword: fields.authPassword }
  const priv =
    fields.authProtocol === "" || fields.privProtocol === ""
      ? {}
      : { privProtocol: fields.privProtocol, privPassword: fields.privPassword }
  return { version: "3", user: fields.user, ...auth, ...priv, ...port }
}
