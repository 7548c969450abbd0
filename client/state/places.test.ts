/** What every role sees: the client's table of needs, weighed with the very permissions that the engine gives. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { givableRoles, isRoleName } from "#client/state/giving.ts"
import { ACTION_NEEDS, can, SCREEN_NEEDS, screenOpen, TAB_IDS, tabOpen } from "#client/state/places.ts"
import type { ActionId, ScreenId } from "#client/state/places.ts"
import { may, mustEnrol, session } from "#client/state/session.ts"
import { PERMISSIONS, permissionsOf, ROLE_PERMISSIONS, USER_ROLES } from "#protocol/permission.ts"
import type { Permission, UserRole } from "#protocol/permission.ts"
import type { Role } from "#protocol/rest-generated.ts"

const signInAs = (permissions: readonly Permission[], second = { enabled: false, required: false }) => {
  session.value = {
    user: { id: "u", name: "u" },
    tenant: { id: "t", slug: "t", name: "t", demo: false },
    roles: [],
    permissions,
    sites: null,
    secondFactor: second,
    grant: null,
    expiresAtMs: 0,
  }
}
const seen = () => ({
  screens: (Object.keys(SCREEN_NEEDS) as ScreenId[]).filter(screenOpen).join(" "),
  tabs: TAB_IDS.filter(tabOpen).join(" "),
  actions: (Object.keys(ACTION_NEEDS) as ActionId[]).filter(can).join(" "),
})
const READER = {
  screens: "map devices events replay alerts incidents graph rules maintenance topology account",
  tabs: "",
  actions: "",
}

/** By hand out of PRODUCT.md, Roles and permissions: not out of the code that it proves. */
const WANTED: Readonly<Record<UserRole, ReturnType<typeof seen>>> = {
  platform_admin: {
    screens: "admin account",
    tabs: "users roles keys quotas audit settings tenants",
    actions: "auditExport",
  },
  tenant_admin: {
    screens: "map devices events replay alerts incidents graph rules maintenance whatif topology admin account setup",
    tabs: "users roles keys inventory quotas audit settings",
    actions:
      "siteEdit deviceAdd deviceEdit deviceRemove credential linkAdd linkEdit linkRemove import export auditExport alertAck incidentAck incidentNote incidentAssign incidentEscalate incidentClose incidentConfirm ruleEdit windowEdit proposalDecide",
  },
  manager: {
    screens: "map devices events replay alerts incidents graph rules maintenance whatif topology admin account setup",
    tabs: "inventory",
    actions:
      "siteEdit deviceAdd deviceEdit linkAdd linkEdit linkRemove import export alertAck incidentAck incidentNote incidentAssign incidentEscalate incidentClose incidentConfirm ruleEdit windowEdit proposalDecide",
  },
  noc: {
    ...READER,
    screens: "map devices events replay alerts incidents graph rules maintenance whatif topology account",
    actions:
      "alertAck incidentAck incidentNote incidentAssign incidentEscalate incidentClose incidentConfirm windowEdit",
  },
  engineer: {
    ...READER,
    screens: "map devices events replay alerts incidents graph rules maintenance whatif topology account",
    actions: "alertAck incidentAck incidentNote incidentConfirm",
  },
  technician: { ...READER, screens: "map devices events alerts incidents graph rules maintenance topology account" },
  viewer: READER,
  auditor: {
    screens: "map devices events replay alerts incidents graph rules maintenance whatif topology admin account",
    tabs: "audit",
    actions: "auditExport",
  },
}
for (const role of USER_ROLES) {
  test(`[S1] ${role}: screens, parts of the administration, actions`, () => {
    signInAs(permissionsOf([role]))
    assert.deepEqual(seen(), WANTED[role])
  })
}

test("[S1] nobody signed in sees nothing that needs a permission", () => {
  session.value = null
  assert.deepEqual(seen(), { screens: "account", tabs: "", actions: "" })
  for (const permission of PERMISSIONS) assert.equal(may(permission), false)
})

test("[S1] more permissions never hide anything", () => {
  const some = fc.subarray([...PERMISSIONS])
  fc.assert(
    fc.property(some, some, (few, more) => {
      const words = () => new Set(Object.values(seen()).flatMap((text) => text.split(" ").filter(Boolean)))
      signInAs(few)
      const before = words()
      signInAs([...new Set([...few, ...more])])
      const after = words()
      assert.ok([...before].every((word) => after.has(word)))
    }),
  )
})

test("[S4] only a required and missing second factor shuts everything else", () => {
  for (const [enabled, required, shut] of [
    [false, false, false],
    [true, false, false],
    [false, true, true],
    [true, true, false],
  ] as const) {
    signInAs([], { enabled, required })
    assert.equal(mustEnrol.value, shut)
  }
  session.value = null
  assert.equal(mustEnrol.value, false)
})

const matrix: readonly Role[] = USER_ROLES.map((name) => ({
  name,
  builtIn: true,
  permissions: ROLE_PERMISSIONS[name],
  secondFactorRequired: false,
  users: 0,
}))

test("nobody gives what they do not hold: givable roles by role", () => {
  const names = (role: UserRole) => givableRoles(matrix, permissionsOf([role])).join(" ")
  assert.equal(names("tenant_admin"), "tenant_admin manager noc engineer technician viewer auditor")
  assert.equal(names("platform_admin"), "platform_admin")
  assert.equal(names("manager"), "manager engineer viewer")
  fc.assert(
    fc.property(fc.subarray([...PERMISSIONS]), (held) => {
      for (const name of givableRoles(matrix, held))
        assert.ok(ROLE_PERMISSIONS[name as UserRole].every((permission) => held.includes(permission)))
    }),
  )
})

test("a role's own name: what the engine takes, and no built-in one", () => {
  for (const good of ["night", "n1", "field-lead", "a_b"]) assert.ok(isRoleName(good), good)
  for (const bad of ["", "Night", "1a", "a b", "viewer", "é", "a/b", "x".repeat(65)]) assert.ok(!isRoleName(bad), bad)
})
