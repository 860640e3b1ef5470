import type { TransportResponse } from '../../src/clink/transport.ts'
import type { Chance } from './chance.ts'
import type { Fault } from './faults.ts'
import type { OperationKind } from './record.ts'
import type { FieldPlan, PagePlan, TimeForm, World } from './world.ts'

type JsonRecord = { [name: string]: unknown }

const TIMES = ['created_at', 'claimed_at', 'claim_expires_at', 'completed_at'] as const

/** The service's answer as this world's service would give it. */
export function distorted(answer: TransportResponse, { field, refusals, times }: World): TransportResponse {
  if (answer.status >= 400) return refusals === 'envelope' ? answer : bare(answer, refusals)
  if (field === undefined && times === undefined) return answer
  const body = JSON.parse(answer.body) as { data?: JsonRecord }
  for (const clink of clinksIn(body.data)) {
    if (times !== undefined)
      for (const name of TIMES) if (typeof clink[name] === 'string') clink[name] = inForm(clink[name], times)
    if (field !== undefined) spoil(clink, field)
  }
  return { ...answer, body: JSON.stringify(body) }
}

function bare(answer: TransportResponse, form: 'object' | 'html'): TransportResponse {
  const body = form === 'html' ? `<html><h1>${answer.status}</h1></html>` : '{"detail":"it was refused"}'
  return { ...answer, body }
}

function clinksIn(data: JsonRecord | undefined): readonly JsonRecord[] {
  if (data === undefined) return []
  if (Array.isArray(data['clinks'])) return data['clinks'] as JsonRecord[]
  return typeof data['clink'] === 'object' ? [data['clink'] as JsonRecord] : [data]
}

function idOf({ clink_id: id }: JsonRecord): string {
  return typeof id === 'string' ? id : JSON.stringify(id ?? '')
}

/** In place of a text. */
export const NUMBER = 4711

function spoil(clink: JsonRecord, { name, as, every }: FieldPlan): void {
  const id = idOf(clink)
  if (!(name in clink) || !isChosen(id, every)) return
  if (as === 'absent') delete clink[name]
  else clink[name] = as === 'null' ? null : NUMBER
}

/** Whether it is one of each so many: ids differ in their last letters. */
export function isChosen(id: string, every: number): boolean {
  return Number.parseInt(id.slice(-4), 36) % every === 0
}

/** @param text as `Date.toISOString` writes it, or without a fraction. */
function inForm(text: string, form: TimeForm): string | number {
  const ms = Date.parse(text)
  const iso = new Date(ms).toISOString()
  const local = iso.slice(0, -1)
  const shifted = (minutes: number): string => new Date(ms + minutes * 60_000).toISOString().slice(0, -1)
  switch (form) {
    case 'no-zone':
      return local
    case 'offset':
      return `${shifted(330)}+05:30`
    case 'offset-plain':
      return `${shifted(-480)}-0800`
    case 'offset-short':
      return `${shifted(120)}+02`
    case 'no-zone-seconds':
      return local.slice(0, 19)
    case 'microseconds':
      return `${local}000Z`
    case 'no-zone-microseconds':
      return `${local}000`
    case 'nanoseconds':
      return `${local}000000+00:00`
    case 'blank':
      return `${local.replace('T', ' ')}+00:00`
    case 'small-letters':
      return iso.toLowerCase()
    case 'comma':
      return iso.replace('.', ',')
    case 'basic':
      return iso.replaceAll(/[-:]/g, '')
    case 'words':
      return new Date(ms).toUTCString()
    case 'number':
      return ms / 1_000
    case 'nonsense':
      return 'soon'
  }
}

/** Strict ISO 8601, with or without a zone. */
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$/

/** How much of a clink's claim an answer tells, by the contract: times are ISO 8601, and without a zone UTC. */
export type Told = 'told' | 'untold' | 'unclear'

/** Of each clink in an answer, whether it says how long its claim lasts. `unclear`: a reader may understand it or not. */
export function lengthsIn(body: string): ReadonlyMap<string, Told> {
  const found = new Map<string, Told>()
  let data: JsonRecord | undefined
  try {
    ;({ data } = JSON.parse(body) as { data?: JsonRecord })
  } catch {
    return found
  }
  if (typeof data !== 'object' || data === null) return found
  for (const clink of clinksIn(data)) {
    const times = [clink['claimed_at'], clink['claim_expires_at']]
    const isAbsent = times.some((time) => time === undefined || time === null)
    const isClear = times.every((time) => typeof time === 'string' && ISO.test(time))
    found.set(idOf(clink), isAbsent ? 'untold' : isClear ? 'told' : 'unclear')
  }
  return found
}

/** Whether something in front of the service answers instead of it. */
export function pageFault(
  plans: readonly PagePlan[],
  kind: OperationKind,
  now: number,
  chance: Chance,
  usual: Fault,
): Fault | undefined {
  for (const plan of plans) {
    if (now < plan.from || now >= plan.to || plan.kinds?.includes(kind) === false) continue
    if (!chance.is(plan.rate)) continue
    const { body, isAfter, status } = plan
    const page = { status, headers: { 'content-type': 'text/html' }, body: BODIES[body] }
    return { ...usual, name: `[page ${status} ${body}]`, arrives: isAfter, answer: () => page }
  }
  return undefined
}

const BODIES = {
  html: '<html><head><title>Sorry</title></head></html>',
  empty: '',
  cut: '{"success":false,"error":"no_su',
  object: '{"detail":"Sorry"}',
  list: '["Sorry"]',
} as const
