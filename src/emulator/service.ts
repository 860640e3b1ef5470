import type { OperationName } from '../clink/contract.ts'
import { authenticate } from './access.ts'
import { jsonAnswer, refused, type PlainAnswer, type PlainRequest } from './answer.ts'
import type { Caller } from './call.ts'
import { isObject, readInput } from './intake/input.ts'
import { RateLimiter } from './intake/rate-limit.ts'
import { findRoute, type Route } from './intake/router.ts'
import { Refusal } from './refusal.ts'
import { services, type Service } from './services.ts'
import { stamp, type World } from './world.ts'

/** What the service has read of a request, as far as it got. */
export interface Reading {
  readonly operation?: OperationName | undefined
  readonly params: Readonly<Record<string, unknown>>
  /** Name of the key, never its text. */
  readonly key?: string | undefined
  readonly session?: string | undefined
}

/** The service without sockets: takes a request, changes the world, gives the answer; all in one turn. */
export class ClinkService {
  readonly #world: World
  readonly #limiter = new RateLimiter()
  readonly #changed: () => void

  /** `changed` is called after every request that may have changed something. */
  constructor(world: World, changed: () => void) {
    this.#world = world
    this.#changed = changed
  }

  /** Reads what a request asks for, for the request log and fault rules. Changes nothing and refuses nothing. */
  read(request: PlainRequest): Reading {
    const [pathname = '', search = ''] = split(request.path)
    const query = new URLSearchParams(search)
    const route = attempt(() => findRoute(request.method, pathname, query))
    const body = attempt(() => parseBody(request.body))
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers['authorization'] ?? '')?.[1]
    return {
      operation: route?.name,
      params: {
        ...Object.fromEntries(route?.path ?? []),
        ...Object.fromEntries(query),
        ...(isObject(body) ? body : {}),
      },
      key: bearer === undefined ? undefined : this.#world.tables.keys.get(bearer)?.name,
      session: request.headers['x-clink-session-id'],
    }
  }

  answer(request: PlainRequest): PlainAnswer {
    const [pathname = '', search = ''] = split(request.path)
    const date = new Date(stamp(this.#world, this.#world.clock.now())).toUTCString()
    if (pathname === '/health') return jsonAnswer(200, { success: true, data: { status: 'ok' } }, { date })
    try {
      const data = this.#run(request, pathname, new URLSearchParams(search))
      return jsonAnswer(200, { success: true, data }, { date })
    } catch (error) {
      if (error instanceof Refusal) return this.#refused(error, date)
      throw error
    }
  }

  #refused(refusal: Refusal, date: string): PlainAnswer {
    if (this.#world.switchboard.rules.refusals === 'enveloped') return refused(refusal, { date })
    const { code: error, headers, message, status } = refusal
    return jsonAnswer(status, { error, message }, { date, ...headers })
  }

  #run(request: PlainRequest, pathname: string, query: URLSearchParams): unknown {
    const world = this.#world
    const now = world.clock.now()
    world.clinks.expire(now)
    const route = findRoute(request.method, pathname, query)
    const caller = authenticate(world, request.headers)
    this.#limiter.take(world, caller.key.name, now)
    const input = readInput(route.operation, { path: route.path, query, body: parseBody(request.body) })
    const run = permitted(route, caller, input.flag('claim') === true)
    try {
      return run({ world, caller, input, now })
    } finally {
      this.#changed()
    }
  }
}

/** The operation's own function, once the key has what it needs. */
function permitted({ name }: Route, caller: Caller, claims: boolean): Service['run'] {
  const service = services[name]
  for (const needed of [service.needs, claims ? service.needsToClaim : undefined]) {
    if (needed === undefined || caller.key.permissions.includes(needed)) continue
    throw new Refusal(403, `The key does not have the permission ${needed}`, { code: 'permission_denied' })
  }
  return (call) => service.run(call)
}

function split(path: string): readonly string[] {
  const at = path.indexOf('?')
  return at === -1 ? [path] : [path.slice(0, at), path.slice(at + 1)]
}

function parseBody(body: unknown): unknown {
  if (typeof body !== 'string') return body
  if (body.trim() === '') return undefined
  try {
    return JSON.parse(body)
  } catch {
    throw new Refusal(400, 'The body is not JSON')
  }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
