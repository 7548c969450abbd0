/** The OpenAPI 3.1 document of the contract. `node engine/api/openapi.ts` writes the committed copy, openapi.json. */
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as OpenApi from "effect/http-api/OpenApi"
import { Api } from "#engine/api/contract.ts"

export const OPENAPI_FILE = fileURLToPath(new URL("openapi.json", import.meta.url))

let made: string | undefined
export const openApiText = (): string => (made ??= `${JSON.stringify(OpenApi.fromApi(Api), null, 2)}\n`)

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(OPENAPI_FILE, openApiText())
