import type { Silence } from "#protocol/maintenance.ts"
import type { Rule } from "#protocol/rule.ts"
import type { AckInput, Input, RulesInput, SilencesInput } from "#twin/input.ts"
/** As an operator's own, checked. */
export declare const ruleOf: (id: string, condition: unknown, more?: object) => Rule
export declare const rulesInput: (rules: readonly Rule[], atMs?: number, rev?: number) => RulesInput
export declare const silencesInput: (silences: readonly Silence[], atMs: number, rev?: number) => SilencesInput
export declare const silenceOf: (id: string, fromMs: number, toMs: number, more?: Partial<Silence>) => Silence
export declare const ackInput: (
  device: string,
  rule: string,
  atMs: number,
  untilMs: number | null,
  entity?: string,
) => AckInput
export declare const POOL: readonly Rule[]
/** One of the changes that people make, out of two numbers. */
export declare const changeOf: (
  what: "rules" | "silences" | "ack",
  name: string,
  port: string,
  number: number,
  atMs: number,
) => Input
