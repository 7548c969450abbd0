import assert from "node:assert/strict"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { fileURLToPath } from "node:url"
import { en } from "#client/i18n/en.ts"
import { pt } from "#client/i18n/pt.ts"
import type { Key } from "#client/i18n/pt.ts"
import { language, t, tCount } from "#client/i18n/translate.ts"
import { PERMISSIONS, USER_ROLES } from "#protocol/permission.ts"
import { QUOTA_NAMES, TIERS } from "#protocol/quota.ts"
import { ROLES } from "#protocol/role.ts"
import { HEALTH, SEVERITY } from "#protocol/status.ts"

const keys = Object.keys(pt) as Key[]

test("[U7] 0 untranslated keys: both languages have every key, none is empty", () => {
  assert.deepEqual(Object.keys(en).sort(), Object.keys(pt).sort())
  for (const key of keys) {
    assert.notEqual(pt[key].trim(), "", key)
    assert.notEqual(en[key].trim(), "", key)
  }
})

test("[U7] a translation fills in the same values", () => {
  const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort()
  for (const key of keys) assert.deepEqual(holes(en[key]), holes(pt[key]), key)
})

test("[U7] words of the wire have a translation", () => {
  for (const health of HEALTH) assert.ok(`health.${health}` in pt)
  for (const severity of SEVERITY) assert.ok(`severity.${severity}` in pt)
  for (const role of ROLES) assert.ok(`role.${role}` in pt)
  for (const role of USER_ROLES) assert.ok(`userRole.${role}` in pt, role)
  for (const permission of PERMISSIONS) assert.ok(`permission.${permission}` in pt, permission)
  for (const quota of QUOTA_NAMES) assert.ok(`quota.${quota}` in pt, quota)
  for (const tier of TIERS) assert.ok(`tier.${tier}` in pt, tier)
})

test("[U7] no text for people stands outside the dictionaries", async () => {
  const root = fileURLToPath(new URL("../", import.meta.url))
  const files = (await readdir(root, { recursive: true })).filter((name) => name.endsWith(".tsx"))
  assert.ok(files.length > 10)
  for (const file of files) {
    const source = await readFile(join(root, file), "utf8")
    const naked = [...source.matchAll(/>\s*([A-Za-zÀ-ÿ][A-Za-zÀ-ÿ ]{3,})\s*<\//g)].map(([, text]) => text)
    assert.deepEqual(naked, [], file)
    const attributes = [...source.matchAll(/(?:aria-label|title|placeholder)="([^"]+)"/g)].map(([, text]) => text)
    assert.deepEqual(attributes, [], file)
  }
})

test("[U7] every key is used", async () => {
  const root = fileURLToPath(new URL("../", import.meta.url))
  const files = (await readdir(root, { recursive: true })).filter(
    (name) => /\.tsx?$/.test(name) && !/i18n\/|test|e2e/.test(name),
  )
  const source = (await Promise.all(files.map((file) => readFile(join(root, file), "utf8")))).join("\n")
  const made =
    /^(mark|health|severity|role|event|interface|search\.kind|chart\.range|devices\.column|theme|map|userRole|permission|quota|quotas|tier|audit\.kind|alerts\.column|alerts\.group|why|ruleOrigin|rules\.shown|rules\.import|condField|aggregation|entityKind|scopeField|rule|test\.range|cond\.match|silenceKind|changeState|changeAct|recurrence|windowMistake|maintenance|alertSeverity|alertState|heldBack|conditionType|minutes|incidents\.state|incidents\.column|incident\.quality|incident\.during|incident\.view|incident\.action|fault|graph\.layer|whatif|proposals|services\.kind|services\.health|next\.column|capability|blind|drift|setup|import|credential|signin\.oidc)\./
  const unused = keys.filter((key) => !made.test(key) && !source.includes(`"${key.replace(/\.(one|other)$/, "")}"`))
  assert.deepEqual(unused, [])
})

test("plurals follow the language", () => {
  language.value = "pt-BR"
  assert.equal(tCount("trouble.folded", 1), "+ 1 enlace")
  assert.equal(tCount("trouble.folded", 4), "+ 4 enlaces")
  language.value = "en"
  assert.equal(tCount("trouble.folded", 1), "+ 1 link")
  assert.equal(t("search.none", { query: "x" }), "Nothing found for “x”")
  language.value = "pt-BR"
})
