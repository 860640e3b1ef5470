import { z } from 'zod'
import { operationNames } from '../clink/contract.ts'
import { parseDuration } from '../base/duration.ts'
import { checkedFile, checkedValue } from './checked-file.ts'
import type { FaultRule } from './faults.ts'

const count = z.int().min(1)
const when = z.enum(['before', 'after'])
const notDelay = 'must be milliseconds or a duration such as 2s'
const delay = z.union(
  [z.number().min(0), z.string().refine((text) => parseDuration(text) !== undefined, notDelay)],
  notDelay,
)

const action = z.strictObject({
  delayBefore: delay.optional(),
  delayAfter: delay.optional(),
  status: z.int().min(200).max(599).optional(),
  effect: z.boolean().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown().optional(),
  error: z.string().optional(),
  cut: when.optional(),
  hang: when.optional(),
  truncate: z.int().min(0).optional(),
  replaceBody: z.string().optional(),
})

const rule = z.strictObject({
  operation: z.enum(operationNames).optional(),
  method: z.string().optional(),
  path: z.string().optional(),
  query: z.record(z.string(), z.string()).optional(),
  nth: count.optional(),
  every: count.optional(),
  from: count.optional(),
  to: count.optional(),
  probability: z.number().min(0).max(1).optional(),
  seed: z.int().optional(),
  times: count.optional(),
  // oxlint-disable-next-line unicorn/no-thenable -- the format's own word; the object is never awaited
  then: action.refine((then) => Object.keys(then).length > 0, 'must say what happens, such as status: 503'),
})

const rules = z.array(rule)

/** A rule from code or from a request; throws a CodedError that names what is wrong with it. */
export function checkedRule(value: unknown): FaultRule {
  return checkedValue(value, 'fault rule', rule)
}

/** A list of rules as YAML or JSON; throws a CodedError with file, line and value of each problem. */
export function faultFile(text: string, file: string): readonly FaultRule[] {
  return checkedFile(text, file, rules)
}
