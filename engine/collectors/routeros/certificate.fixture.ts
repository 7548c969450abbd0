/**
 * A self-signed certificate (RFC 5280, ECDSA P-256) made on the spot, so that no private key lies in the repository.
 * For tests only.
 */
import { generateKeyPairSync, sign } from "node:crypto"

export interface TestCertificate {
  readonly key: string
  readonly cert: string
}

/** Valid from 2025 until `validToMs`, which is 2049 when not given. */
export const makeCertificate = (commonName: string, validToMs = Date.UTC(2049, 0, 1)): TestCertificate => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const algorithm = der(0x30, oid("2a8648ce3d040302")) // ecdsa-with-SHA256
  const name = der(0x30, der(0x31, der(0x30, oid("550403"), der(0x0c, Buffer.from(commonName)))))
  const validity = der(0x30, der(0x17, Buffer.from("250101000000Z")), der(0x17, Buffer.from(utcTime(validToMs))))
  const serial = der(0x02, Buffer.of(1))
  const version = der(0xa0, der(0x02, Buffer.of(2)))
  const spki = publicKey.export({ type: "spki", format: "der" })
  const body = der(0x30, version, serial, algorithm, name, validity, name, spki)
  const signature = der(0x03, Buffer.of(0), sign("sha256", body, privateKey))
  const pem = der(0x30, body, algorithm, signature).toString("base64").replace(/.{64}/g, "$&\n")
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${pem}\n-----END CERTIFICATE-----\n`,
  }
}

const utcTime = (ms: number): string => `${new Date(ms).toISOString().replace(/[-:T]/g, "").slice(2, 14)}Z`

const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"))

const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts)
  const { length } = content
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...head), content])
}
