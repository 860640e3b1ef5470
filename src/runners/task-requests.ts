import { z } from 'zod'
import { CodedError } from '../base/coded-error.ts'
import type { Task } from './runner.ts'

/** What a task request is about. */
export type Asked = Pick<Task, 'services' | 'signals'>

const requests = {
  reply: z.strictObject({ text: z.string(), to: z.enum(['sender', 'group']).prefault('sender') }),
  log: z.strictObject({
    message: z.string(),
    level: z.enum(['debug', 'info', 'warn', 'error']).prefault('info'),
    fields: z.record(z.string(), z.unknown()).exactOptional(),
  }),
  keepalive: z.strictObject({}),
  mask: z.strictObject({ value: z.string() }),
  /** `wait`: it is answered when the run should end, and not before. */
  draining: z.strictObject({ wait: z.boolean().prefault(false) }),
} as const

/** Who asks, and for what. */
const head = z.looseObject({ token: z.string(), request: z.string() })

type Answers = {
  readonly [Name in keyof typeof requests]: (given: z.output<(typeof requests)[Name]>, asked: Asked) => unknown
}

const answers: Answers = {
  reply: async ({ text, to }, { services }) => ({ id: await services.reply(text, to) }),
  log: ({ fields, level, message }, { services }) => services.log(level, message, fields),
  keepalive: (_, { services }) => services.keepalive(),
  mask: ({ value }, { services }) => services.mask(value),
  draining: async ({ wait }, { signals }) => {
    const ends = AbortSignal.any([signals.draining, signals.abort])
    if (wait && !ends.aborted) await new Promise((resolve) => ends.addEventListener('abort', resolve))
    return { draining: ends.aborted }
  },
}

/**
 * Does what a program asks for.
 *
 * @param taskOf who has the token. It throws where nobody has.
 * @throws {CodedError} USAGE for what is no request.
 */
export async function answerTask(request: unknown, taskOf: (token: string) => Asked): Promise<unknown> {
  const { token, request: name, ...given } = read(head, request, 'a request')
  const asked = taskOf(token)
  if (!isRequest(name)) {
    const known = Object.keys(requests).join(', ')
    throw new CodedError('USAGE', `there is no request ${JSON.stringify(name)} for tasks, only ${known}`)
  }
  return (await answer(name, given, asked)) ?? {}
}

async function answer<Name extends keyof typeof requests>(name: Name, given: unknown, asked: Asked): Promise<unknown> {
  // The compiler does not see that the schema and the answer of one name belong together.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const parameters = read(requests[name], given, name) as Parameters<Answers[Name]>[0]
  return await answers[name](parameters, asked)
}

const isRequest = (name: string): name is keyof typeof requests => Object.hasOwn(requests, name)

function read<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const { data, error } = schema.safeParse(value)
  if (error === undefined) return data
  throw new CodedError(
    'USAGE',
    error.issues.map(({ message, path }) => `${[what, ...path].join('.')}: ${message}`).join('; '),
  )
}
