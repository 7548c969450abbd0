/** A client of the version that a credential is for. */
import type { SnmpCredential } from "#engine/collectors/target.ts"
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import type { GateCounts } from "#engine/collectors/snmp/gate.ts"
import type { UdpPool } from "#engine/collectors/snmp/udp.ts"
import { v2cClient } from "#engine/collectors/snmp/v2c.ts"
import { v3Client } from "#engine/collectors/snmp/v3.ts"

/** `address` is an IP literal. */
export const openClient = (
  pool: UdpPool,
  address: string,
  credential: SnmpCredential,
  counts: GateCounts,
): SnmpClient => {
  const { port } = credential
  const lenient = credential.lenient === true
  if (credential.version === "3") return v3Client({ pool, address, port, credential, counts, lenient })
  return v2cClient({ pool, address, port, community: credential.community, counts, lenient })
}
