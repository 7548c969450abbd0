/** A file as `heliograph import` takes it, by what it is and not by its name: GraphML begins with a <, JSON does not. */
import { parseGraphml } from "#engine/import/graphml.ts"
import { decodeUtf8, IMPORT_BYTES_MAX, parseImport, type ParsedImport } from "#engine/import/parse.ts"

/** Never throws. */
export const parseFile = (bytes: Uint8Array): ParsedImport => {
  // Looked at before it is decoded: what is too large is refused by its size.
  if (bytes.length > IMPORT_BYTES_MAX || !isXml(bytes)) return parseImport(bytes)
  const text = decodeUtf8(bytes)
  if (text !== null) return parseGraphml(text)
  const message = "is not UTF-8 text; save the GraphML file as UTF-8"
  return { ok: false, errors: [{ line: 1, column: 1, path: "", message }], total: 1 }
}

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf]
const SPACES = new Set([0x20, 0x09, 0x0a, 0x0d])

const isXml = (bytes: Uint8Array): boolean => {
  let at = BYTE_ORDER_MARK.every((byte, index) => bytes[index] === byte) ? BYTE_ORDER_MARK.length : 0
  while (SPACES.has(bytes[at] ?? 0)) at++
  return bytes[at] === 0x3c
}
