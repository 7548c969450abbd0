/**
 * net-snmp's own agent as a peer for tests: a second implementation of SNMP v2c and v3 that we did not write.
 * It needs two crutches: it cannot bind port 0 (`port || 161`), and its DES fails on OpenSSL 3 (net-snmp-des.fixture.ts).
 */
import { createSocket } from "node:dgram"
import { once } from "node:events"
import snmp from "net-snmp"
import type { SnmpV3Credential } from "#engine/collectors/target.ts"
import { mendDes } from "#engine/collectors/snmp/net-snmp-des.fixture.ts"

export interface LibraryAgent {
  readonly port: number
  readonly close: () => void
}

/** A user as net-snmp wants it. */
export const libraryUser = (credential: SnmpV3Credential): snmp.User => {
  const { user, authProtocol, authPassword, privProtocol, privPassword } = credential
  const { authPriv, authNoPriv, noAuthNoPriv } = snmp.SecurityLevel
  return {
    name: user,
    level: privProtocol !== undefined ? authPriv : authProtocol !== undefined ? authNoPriv : noAuthNoPriv,
    ...(authProtocol === undefined ? {} : { authProtocol: snmp.AuthProtocols[authProtocol], authKey: authPassword }),
    ...(privProtocol === undefined ? {} : { privProtocol: snmp.PrivProtocols[privProtocol], privKey: privPassword }),
  } as snmp.User
}

/** Integer scalars by OID (without .0), for the community `public` and the users. */
export const startLibraryAgent = async (
  scalars: Readonly<Record<string, number>>,
  users: readonly SnmpV3Credential[],
  engineId = "8000B98380ABCDEF0102030405",
): Promise<LibraryAgent> => {
  mendDes()
  const sockets: ReturnType<typeof createSocket>[] = []
  const dgramModule = {
    createSocket: (type: "udp4") => {
      const socket = createSocket(type)
      const bind = socket.bind.bind(socket)
      socket.bind = (() => bind(0, "127.0.0.1")) as typeof socket.bind
      sockets.push(socket)
      return socket
    },
  }
  const agent = snmp.createAgent(
    { engineID: engineId, dgramModule } as Parameters<typeof snmp.createAgent>[0],
    () => undefined,
  )
  const authorizer = agent.getAuthorizer()
  authorizer.addCommunity("public")
  for (const user of users) authorizer.addUser(libraryUser(user))
  for (const [oid, value] of Object.entries(scalars)) {
    const name = `scalar${oid}`
    agent.registerProvider({
      name,
      type: snmp.MibProviderType.Scalar,
      oid,
      scalarType: snmp.ObjectType.Integer,
      maxAccess: snmp.MaxAccess["read-only"],
    } as unknown as Parameters<typeof agent.registerProvider>[0])
    agent.getMib().setScalarValue(name, value)
  }
  const socket = sockets[0] as ReturnType<typeof createSocket>
  await once(socket, "listening")
  return { port: socket.address().port, close: () => agent.close(() => undefined) }
}
