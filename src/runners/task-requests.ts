import { z } from 'zod'
import { CodedError } from '../base/coded-error.ts'
import { isRecord } from '../base/record.ts'
import { onAbort } from '../base/on-abort.ts'
import { jsonText } from './json-text.ts'
import type { Outcome } from './outcome.ts'
import { duration } from './program-outcome.ts'
import type { Task } from './runner.ts'

/** What a task request is about. */
export interface Asked extends Pick<Task, 'services' | 'signals'> {
  /** The run is to sleep, and was told so. */
  fellAsleep(outcome: Extract<Outcome, { outcome: 'asleep' }>): void
}

/** Who asks, and for what. */
const head = z.object({ token: z.string(), request: z.string() })

const requests: ReadonlyMap<string, (given: unknown, asked: Asked) => unknown> = new Map([
  row(
    'reply',
    // `step`: the step that sends it.
    { text: z.string(), to: z.enum(['sender', 'group']).prefault('sender'), step: z.string().exactOptional() },
    async ({ step, text, to }, asked) => ({
      id: await asked.services.reply(text, to, step),
    }),
  ),
  // Without a value it begins; with one it has ended.
  row('step', { name: z.string(), value: z.json().exactOptional() }, async ({ name, ...ended }, { services }) => {
    if ('value' in ended) return await services.endStep(name, jsonText(ended.value))
    const result = await services.beginStep(name)
    if (result === undefined) return { done: false }
    return { done: true, value: result === '' ? null : (JSON.parse(result) as unknown) }
  }),
  row('sleep', { name: z.string(), for: duration }, async ({ for: ms, name }, asked) => {
    const until = await asked.services.sleep(name, ms)
    if (until === undefined) return { over: true }
    asked.fellAsleep({ outcome: 'asleep', name, until })
    return { over: false, until: new Date(until).toISOString() }
  }),
  row(
    'log',
    {
      message: z.string(),
      level: z.enum(['debug', 'info', 'warn', 'error']).prefault('info'),
      fields: z.record(z.string(), z.unknown()).exactOptional(),
    },
    ({ fields, level, message }, { services }) => services.log(level, message, fields),
  ),
  row('keepalive', {}, (_, { services }) => services.keepalive()),
  row('mask', { value: z.string() }, ({ value }, { services }) => services.mask(value)),
  // `wait`: it is answered when the run should end, and not before.
  row('draining', { wait: z.boolean().prefault(false) }, async ({ wait }, { signals }) => {
    const ends = AbortSignal.any([signals.draining, signals.abort])
    if (wait) await new Promise<void>((resolve) => onAbort(ends, resolve))
    return { draining: ends.aborted }
  }),
])

/**
 * Does what a program asks for.
 *
 * @param taskOf who has the token. It throws where nobody has.
 * @throws {CodedError} USAGE for what is no request.
 */
export async function answerTask(request: unknown, taskOf: (token: string) => Asked): Promise<unknown> {
  const { token, request: name } = read(head, request, 'a request')
  const { token: _, request: __, ...given } = isRecord(request) ? request : {}
  const asked = taskOf(token)
  const act = requests.get(name)
  if (act !== undefined) return (await act(given, asked)) ?? {}
  const known = [...requests.keys()].join(', ')
  throw new CodedError('USAGE', `there is no request ${JSON.stringify(name)} for tasks, only ${known}`)
}

function row<const Shape extends z.ZodRawShape>(
  name: string,
  shape: Shape,
  act: (given: z.output<z.ZodObject<Shape, z.core.$strict>>, asked: Asked) => unknown,
): readonly [string, (given: unknown, asked: Asked) => unknown] {
  const schema = z.strictObject(shape)
  return [name, (given, asked) => act(read(schema, given, name), asked)]
}

function read<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const { data, error } = schema.safeParse(value)
  if (error === undefined) return data
  throw new CodedError(
    'USAGE',
    error.issues.map(({ message, path }) => `${[what, ...path].join('.')}: ${message}`).join('; '),
  )
}
