import type { StoredClink } from '../../src/emulator/emulator.ts'
import { GROUPS } from './plan-scope.ts'
import type { WorkerPlan } from './plan.ts'

/** Whether the configuration wants a clink at all, by everything but its age. */
export function isInScope({ config: { inbox }, owner }: WorkerPlan, clink: StoredClink): boolean {
  if (inbox.for === 'me' && clink.for === undefined) return false
  if (inbox.for !== 'anyone' && clink.for !== undefined && clink.for !== owner) return false
  if (isIgnored(inbox.ignore, owner, clink)) return false
  const group = GROUPS.find(({ id }) => id === clink.group_id)
  const names = inbox.groups.map((name) => name.toLowerCase())
  return names.length === 0 || (group !== undefined && (names.includes(group.id) || names.includes(group.slug)))
}

function isIgnored(
  senders: WorkerPlan['config']['inbox']['ignore'],
  owner: string,
  { sender_id, sender_name }: StoredClink,
): boolean {
  return senders.some(
    (rule) =>
      (typeof rule === 'string' ? sender_id === rule : sender_name === rule.name) ||
      (rule === 'self' && sender_id === owner),
  )
}

/** Whether a clink of that age, in milliseconds, is too old for it. */
export function isTooOld({ config: { inbox } }: WorkerPlan, age: number): boolean {
  return inbox.maxAge !== null && age > inbox.maxAge
}
