import { parseDuration } from '../base/duration.ts'
import { CodedError } from '../base/coded-error.ts'
import { errorAnswer, jsonAnswer, refused, type PlainAnswer } from './answer.ts'
import type { Emulator } from './emulator-interface.ts'
import type { FaultHandle } from './faults.ts'
import { checkedRule } from './fault-rules.ts'
import { isObject, show } from './intake/input.ts'
import { Refusal } from './refusal.ts'
import { switchSettings } from './switches.ts'
import { checkedPatch } from './clink-patch.ts'

export const CONTROL = '/_emulator'

interface ControlCall {
  readonly emulator: Emulator
  /** What stood for `{id}` in the path. */
  readonly id: string
  readonly body: Readonly<Record<string, unknown>>
  /** Takes the service away for so many milliseconds, once this call is answered. */
  readonly goAway: (ms: number) => void
}

/**
 * The calls for tests in other processes, by method and path below `/_emulator`. A test holds docs/emulator.md equal
 * to it.
 */
const calls: Readonly<Record<string, (call: ControlCall) => unknown>> = {
  'GET /switches': ({ emulator }) => ({ switches: emulator.switches, settings: switchSettings }),
  'PATCH /switches': ({ emulator, body }) => {
    emulator.setSwitches(body)
    return { switches: emulator.switches }
  },
  'GET /faults': ({ emulator }) => ({ faults: emulator.faults().map((fault) => plainFault(fault)) }),
  'POST /faults': ({ emulator, body }) => plainFault(emulator.addFault(checkedRule(body))),
  'DELETE /faults': ({ emulator }) => {
    emulator.clearFaults()
    return {}
  },
  'DELETE /faults/{id}': ({ emulator, id }) => {
    const fault = emulator.faults().find((armed) => String(armed.id) === id)
    if (fault === undefined) throw new Refusal(404, `No fault rule ${show(id)}`)
    fault.remove()
    return {}
  },
  'GET /clock': ({ emulator }) => ({ now: emulator.now() }),
  'POST /clock': ({ emulator, body }) => {
    emulator.moveClock(duration(body, 'move'))
    return { now: emulator.now() }
  },
  'GET /requests': ({ emulator }) => ({ requests: emulator.requests() }),
  'GET /clinks': ({ emulator }) => ({ clinks: emulator.clinks() }),
  'POST /clinks': ({ emulator, body }) =>
    emulator.send(text(body, 'group'), text(body, 'content'), {
      from: optionalText(body, 'from'),
      for: optionalText(body, 'for'),
      age: body['age'] === undefined ? undefined : duration(body, 'age'),
    }),
  'GET /clinks/{id}': ({ emulator, id }) => known(emulator, id),
  'PATCH /clinks/{id}': ({ emulator, id, body }) => {
    known(emulator, id)
    return emulator.changeClink(id, checkedPatch(body))
  },
  'GET /clinks/{id}/history': ({ emulator, id }) => {
    known(emulator, id)
    return { history: emulator.history(id) }
  },
  'GET /verifications': ({ emulator }) => ({ verifications: emulator.verifications() }),
  'POST /verifications/{id}/approve': ({ emulator, id }) => {
    emulator.approve(id)
    return {}
  },
  'POST /verifications/{id}/expire': ({ emulator, id }) => {
    emulator.expire(id)
    return {}
  },
  'POST /leave': ({ emulator, body }) => {
    emulator.leave(text(body, 'group'), text(body, 'member'))
    return {}
  },
  'POST /join': ({ emulator, body }) => {
    emulator.join(text(body, 'group'), text(body, 'member'))
    return {}
  },
  'PATCH /groups/{id}': ({ emulator, id, body }) => {
    emulator.renameGroup(id, text(body, 'slug'))
    return {}
  },
  'POST /keys/{id}/suspend': ({ emulator, id }) => {
    emulator.suspendKey(id)
    return {}
  },
  'POST /keys/{id}/resume': ({ emulator, id }) => {
    emulator.suspendKey(id, false)
    return {}
  },
  'POST /keys/{id}/permissions': ({ emulator, id, body }) => {
    emulator.permitKey(id, texts(body, 'permissions'))
    return {}
  },
  'POST /disconnect': ({ body, goAway }) => {
    goAway(duration(body, 'for'))
    return {}
  },
}

/** Names of all control calls, as in `GET /clock`. */
export const controlCalls: readonly string[] = Object.keys(calls)

/** Answers a control call. It is in the same envelope as the service's own answers. */
export function control(
  emulator: Emulator,
  request: { readonly method: string; readonly path: string; readonly body: string },
  goAway: (ms: number) => void,
): PlainAnswer {
  const [path = ''] = request.path.slice(CONTROL.length).split('?')
  for (const [name, run] of Object.entries(calls)) {
    const [method, pattern = ''] = name.split(' ')
    const id = method === request.method ? matched(pattern, path) : undefined
    if (id === undefined) continue
    try {
      const data = run({ emulator, id, body: parse(request.body), goAway })
      return jsonAnswer(200, { success: true, data })
    } catch (error) {
      if (error instanceof Refusal) return refused(error)
      if (error instanceof CodedError) return errorAnswer(400, error.message)
      throw error
    }
  }
  return errorAnswer(404, `No control call ${request.method} ${path}; there are ${controlCalls.join(', ')}`)
}

/** The id in a path that fits, an empty text where the pattern has none. */
function matched(pattern: string, path: string): string | undefined {
  const [before = '', after] = pattern.split('{id}')
  if (after === undefined) return path === pattern ? '' : undefined
  const id = path.slice(before.length, path.length - after.length)
  return path === `${before}${id}${after}` && id !== '' && !id.includes('/') ? decodeURIComponent(id) : undefined
}

function parse(body: string): Readonly<Record<string, unknown>> {
  if (body.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(body)
    if (isObject(value)) return value
  } catch {
    // The refusal below says it.
  }
  throw new Refusal(400, 'The body must be a JSON object')
}

function known(emulator: Emulator, id: string): ReturnType<Emulator['clinks']>[number] {
  const clink = emulator.clink(id)
  if (clink === undefined) throw new Refusal(404, `No clink ${show(id)}`)
  return clink
}

function text(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name]
  if (typeof value !== 'string' || value === '') throw new Refusal(400, `"${name}" must be a text, not ${show(value)}`)
  return value
}

function optionalText(body: Readonly<Record<string, unknown>>, name: string): string | undefined {
  return body[name] === undefined ? undefined : text(body, name)
}

function texts(body: Readonly<Record<string, unknown>>, name: string): readonly string[] {
  const value = body[name]
  if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string')) return value
  throw new Refusal(400, `"${name}" must be a list of texts, not ${show(value)}`)
}

/** Milliseconds, or a duration text; negative too. */
function duration(body: Readonly<Record<string, unknown>>, name: string): number {
  const value = body[name]
  if (typeof value === 'number' && Number.isFinite(value)) return value
  const size = typeof value === 'string' ? parseDuration(value.replace(/^-/, '')) : undefined
  if (size === undefined)
    throw new Refusal(400, `"${name}" must be milliseconds or a duration such as 2s, not ${show(value)}`)
  return String(value).startsWith('-') ? -size : size
}

function plainFault({ id, rule, hits }: FaultHandle): Pick<FaultHandle, 'id' | 'rule' | 'hits'> {
  return { id, rule, hits }
}
