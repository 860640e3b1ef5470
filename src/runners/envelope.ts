import { z } from 'zod'
import type { Clink } from '../clink/records.ts'
import type { RouteMatch } from '../handlers/handler.ts'

/** What a handler is told. JSON holds all of it: it may cross a process or a network. */
export interface Envelope {
  readonly clink: Clink
  readonly attempt: number
  readonly hops: number
  /** When its timeout ends, wall time in milliseconds. */
  readonly deadline: number
  readonly idempotencyKey: string
  readonly match: RouteMatch
  readonly with: Readonly<Record<string, unknown>>
  /** Its span, where an OpenTelemetry SDK is registered: what it asks others for can be a part of that. */
  readonly trace?: TraceHeaders
}

/** The W3C's trace context. */
export interface TraceHeaders {
  readonly traceparent: string
  readonly tracestate?: string
}

const text = z.string()

/** What a program or an application is told about its run, as it is written down for them. */
const schema = z.object({
  version: z.literal(1),
  clink: z
    .looseObject({
      clink_id: text,
      group_id: text,
      group_slug: text.nullish(),
      group_name: text.nullish(),
      sender_id: text,
      sender_name: text.describe('Anyone may take a display name: decide by sender_id.'),
      for: text.nullish().describe('Whom it is addressed to; none: the whole group.'),
      content: text.describe('Without the line that workers write for each other.'),
      created_at: text.describe('ISO 8601; empty where the service does not say.'),
      status: text,
    })
    .describe('The record of the API, whole.'),
  attempt: z.int().min(1).describe('Which start for this clink this is.'),
  hops: z.int().min(0).describe('How many answers of workers to each other have led to this clink.'),
  deadline: z.iso.datetime().describe('When the timeout of the run ends.'),
  idempotencyKey: text.describe('The same for every run of this clink, here and in other workers.'),
  route: text.describe('The name of the route.'),
  match: z
    .object({
      text: text.describe('What matched; empty where the route does not look at the content.'),
      groups: z.record(text, text).describe('Named groups of the regular expression.'),
    })
    .describe('What the match of the route found in the content.'),
  with: z.record(text, z.unknown()).describe('The values under `with` of the route.'),
  traceparent: text
    .exactOptional()
    .describe('The span of this run, as the W3C writes it, where an OpenTelemetry SDK is registered in the worker.'),
  tracestate: text.exactOptional().describe('Beside traceparent, where there is something to say.'),
  task: z
    .object({
      socket: text.exactOptional().describe('A unix socket: a line of JSON is a request, and so is its answer.'),
      url: text.exactOptional().describe('The same by HTTP.'),
      token: text.describe('Good for this run only.'),
    })
    .describe('Where to ask for what the worker does for a run.'),
})

type Written = z.input<typeof schema>

/** The envelope as others read it. @param task where they ask for what the worker does for them. */
export function writtenEnvelope({ deadline, match, trace, ...rest }: Envelope, task: Written['task']): Written {
  const { route, ...found } = match
  return {
    version: 1,
    ...rest,
    clink: { ...rest.clink },
    deadline: new Date(deadline).toISOString(),
    route,
    match: found,
    with: { ...rest.with },
    ...trace,
    task,
  }
}

/** The text of `schema/envelope.schema.json`. */
export function envelopeSchemaText(): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' })
  return `${JSON.stringify({ $schema, title: 'What a program reads from standard input', ...rest }, undefined, 2)}\n`
}
