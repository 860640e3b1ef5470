import { z } from 'zod'
import {
  applicationAddress,
  duration,
  flag,
  GROUP,
  integer,
  limitRules,
  listOf,
  matchRule,
  oneOf,
  rate,
  regularExpression,
  retryRule,
  sender,
  size,
  text,
  verbatim,
  webAddress,
} from './values.ts'

/** Keys that stand together, each with its default. */
function group<Shape extends z.ZodRawShape>(about: string, shape: Shape) {
  // Each key has a default, which the compiler cannot know of a shape in general.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return z.prefault(z.strictObject(shape, GROUP).describe(about), {} as never)
}

const content = z
  .strictObject(
    { prefix: verbatim().exactOptional(), regex: regularExpression().exactOptional() },
    { error: 'is neither { prefix: text } nor { regex: text }' },
  )
  .refine(({ prefix, regex }) => (prefix === undefined) !== (regex === undefined), {
    error: 'must have either a prefix or a regex',
  })
  .describe('What the text of the clink must begin with, or a regular expression with named groups.')

const match = matchRule(content, '{ group: ops }').describe(
  'What the route takes: all that is given must hold. Left out: what the handler itself says, or everything.',
)

const argument = verbatim().regex(/^[^\0]*$/, { error: 'holds a NUL character, which no argument may' })
const command = listOf(argument, '[python3, ./answer.py]').min(1, { error: 'is an empty list' })

const exec = z
  .union(
    [
      command,
      z.strictObject({
        command: command.describe('The program and its arguments; nothing of it is read by a shell.'),
        cwd: text().exactOptional().describe('Where it runs. Default: the directory of this file.'),
        env: z
          .record(
            z.string().regex(/^[^=\0]+$/, { error: 'is no name of a variable' }),
            z.string({ error: 'is not text; put it in quotes' }),
            GROUP,
          )
          .exactOptional()
          .describe("What its environment has beside, or instead of, the worker's."),
        output: oneOf(['text', 'json', 'none'])
          .exactOptional()
          .describe(
            'What it writes to standard output. text (the default): the response; json: an outcome; none: nothing.',
          ),
        maxOutput: size(1_024).exactOptional().describe('The most of that which is kept. Default: 1MiB.'),
        passKey: flag().exactOptional().describe('Its environment has the API key.'),
      }),
    ],
    { error: 'is neither a program with its arguments nor a group of keys; write [python3, ./answer.py]' },
  )
  .describe('The program that is run, in any language: a list, or a group of keys that has it as command.')

const http = z
  .union(
    [
      applicationAddress(),
      z.strictObject({
        url: applicationAddress().describe('Where each clink is posted to.'),
        secretFile: text()
          .exactOptional()
          .describe('File of the secret with which requests are signed (Standard Webhooks).'),
        timeout: duration().exactOptional().describe('How long one run may take.'),
        connectTimeout: duration()
          .exactOptional()
          .describe('How long a connection may take to come about. Default: 5s.'),
        maxResponse: size(1_024).exactOptional().describe('The most of an answer that is kept. Default: 1MiB.'),
        allowHosts: listOf(text()).exactOptional().describe('Other hosts than this machine that url may name.'),
      }),
    ],
    { error: 'is neither an address nor a group of keys; write http://127.0.0.1:8080/clinks' },
  )
  .describe('The application that works its clinks, by HTTP: an address, or a group of keys that has it as url.')

const route = z.strictObject(
  {
    name: text().exactOptional().describe('For logs and metrics. Default: the file name of the handler.'),
    match: match.exactOptional(),
    use: text().exactOptional().describe('The handler file.'),
    exec: exec.exactOptional(),
    http: http.exactOptional(),
    with: z
      .record(z.string(), z.unknown(), GROUP)
      .exactOptional()
      .describe('Values that the handler finds in ctx.with.'),
    timeout: duration().exactOptional().describe('How long one run may take.'),
    renewFirst: flag()
      .exactOptional()
      .describe('The claim is renewed once, and the handler started only if that worked.'),
    idle: duration().exactOptional().describe('How long a run may show no sign of life.'),
    passKey: flag().exactOptional().describe('The handler finds the API key in ctx.env.'),
    retry: retryRule(duration()).exactOptional(),
    runner: oneOf(['inline', 'thread']).exactOptional().describe('Where it runs.'),
    ...limitRules(),
    mark: oneOf(['auto', 'never']).exactOptional().describe('never: its answers carry no line for other workers.'),
  },
  { error: 'is not a route; write { name: deploy, use: ./handlers/deploy.ts }' },
)

/** What the file may hold, with every default as a user would write it. */
export const configSchema = z.strictObject({
  clink: group('How to reach Clink.', {
    url: webAddress().prefault('https://api.clink.voxos.ai').describe('Address of the Clink API.'),
    key: text().nullable().prefault(null).meta({ default: '${CLINK_API_KEY}' }).describe('The API key.'),
    keyFile: text().nullable().prefault(null).describe('File that holds the API key; read again when it changes.'),
    session: text()
      .regex(/^[\x21-\x7e]{1,180}$/, { error: 'is not 1 to 180 printable ASCII characters without spaces' })
      .prefault('auto')
      .describe('First part of the session id; auto: made at each start.'),
    identity: text().prefault('auto').describe('Our own user or agent profile id; auto: learnt.'),
    timeout: duration(100).prefault('30s').describe('The longest one request to Clink may take.'),
  }),
  inbox: group('Which clinks are taken.', {
    for: oneOf(['me', 'open', 'anyone']).prefault('open').describe('Whose clinks: me; me or nobody; anyone.'),
    groups: listOf(text()).prefault([]).describe('Slugs or ids; empty: all that the key sees.'),
    ignore: listOf(sender())
      .prefault([])
      .describe('Ids of senders whose clinks are left alone, or { name } for a display name; self: our own.'),
    maxAge: duration(1_000).nullable().prefault(null).describe('Older clinks are left alone.'),
    claim: oneOf(['auto', 'batch', 'select'])
      .prefault('auto')
      .describe(
        'batch: by polling; select: listed first, then claimed one by one; auto: batch as long as all that comes is wanted.',
      ),
    ownReplies: oneOf(['leave', 'acknowledge'])
      .prefault('leave')
      .describe('What becomes of our own replies that come back.'),
    maxHops: integer(1, 1_000)
      .prefault(8)
      .describe('A clink that comes of so many answers of workers to each other is not run any more.'),
    loopLimit: rate()
      .nullable()
      .prefault(null)
      .describe('30/10m: most clinks of one sender that follow answers of ours; the rest stays pending.'),
  }),
  poll: group('How often the inbox is looked at.', {
    interval: duration(10).prefault('1s').describe('First wait after an empty inbox.'),
    maxInterval: duration(10).prefault('15s').describe('Longest wait after an empty inbox.'),
    warm: group('Faster looks after we answered somebody, who may well write again.', {
      interval: duration(10).prefault('250ms').describe('Longest wait after an empty inbox meanwhile.'),
      for: duration(0).prefault('30s').describe('How long after an answer of ours; 0s: never.'),
    }),
    sweep: duration(1_000)
      .prefault('5m')
      .describe('How often select looks at the whole inbox and not only at what is new.'),
  }),
  claim: group('How claims are kept.', {
    timeout: duration(1_000)
      .prefault('5m')
      .describe('How long a claim is asked for; it is renewed while the work goes on.'),
    maxHold: duration(1_000).prefault('6h').describe('The longest a clink is held for later runs.'),
    exclusive: flag().prefault(false).describe('Nobody else uses this key.'),
    trustRenewals: flag().prefault(false).describe('Believe renewals of a service that does not say when claims end.'),
  }),
  concurrency: integer(1, 1_000).prefault(10).describe('How many clinks are worked at the same time.'),
  handlers: group('The code that works the clinks.', {
    directory: text().prefault('./handlers').describe('Where the handler files are.'),
    watch: flag().prefault(false).describe('Load handlers and this file again when they change.'),
    runner: oneOf(['inline', 'thread'])
      .prefault('inline')
      .describe('inline: in the process of the worker; thread: each run in a thread of its own.'),
    threads: z
      .union([z.literal('auto'), integer(1, 1_000)], { error: 'is neither auto nor a whole number from 1 to 1000' })
      .prefault('auto')
      .describe('The most threads at a time; auto: as many as concurrency, and no more than 16.'),
    threadMemory: size(16 * 1_048_576)
      .prefault('512MiB')
      .describe('The most JavaScript memory of one thread: a run that needs more has failed.'),
    timeout: duration().prefault('15m').describe('How long one run may take.'),
    idle: duration()
      .nullable()
      .prefault(null)
      .describe(
        'How long a run may show no sign of life (ctx.keepalive, its log, its calls); null: as long as it likes.',
      ),
    grace: duration().prefault('30s').describe('A run that goes on for this long after its abort counts as stuck.'),
  }),
  routes: listOf(route, '- { name: deploy, use: ./handlers/deploy.ts }')
    .prefault([])
    .describe('Which clinks go to which handler; the first that matches is taken.'),
  retry: group('How failed runs are tried again.', {
    attempts: integer(1, 1_000).prefault(5).describe('Starts of a handler before the clink is given up.'),
    backoff: duration().prefault('5s').describe('First wait before another attempt; doubles each time.'),
    maxBackoff: duration().prefault('10m').describe('Longest wait before another attempt.'),
    cooldown: duration().prefault('1h').describe('How long a released clink is left alone by this worker.'),
    crashes: integer(1, 1_000).prefault(3).describe('Crashes that one clink may cause.'),
    outage: duration()
      .prefault('6h')
      .describe('How long a handler that fails on every clink may do so before its clinks lose attempts again.'),
    onExhausted: oneOf(['release', 'complete'])
      .prefault('release')
      .describe('What Clink is told about a clink that is given up.'),
  }),
  replies: group('What is sent.', {
    mark: z
      .string({ error: 'is not text' })
      .regex(/^[^\n]{1,200}$/, { error: 'is not one line of 1 to 200 characters' })
      .prefault('— clink-worker')
      .describe('Last line of what the worker sends, so that it knows its own words.'),
  }),
  shutdown: group('How the worker stops.', {
    timeout: duration(10).prefault('25s').describe('The longest a stop may take.'),
    drain: duration(0).prefault('17s').describe('How much of it running handlers get to finish.'),
  }),
  state: group('What is kept on disk.', {
    directory: text().prefault('./state').describe('Where the worker keeps what it must not forget.'),
    sync: oneOf(['normal', 'full']).prefault('normal').describe('full: safe against power loss.'),
    keep: duration().prefault('14d').describe('How long facts about clinks are kept after the inbox last showed them.'),
    url: text()
      .nullable()
      .prefault(null)
      .describe('Where several workers remember together: postgresql://user:password@host/database.'),
    urlFile: text().nullable().prefault(null).describe('File that holds state.url.'),
    fleet: text()
      .regex(/^[\x21-\x7e]{1,63}$/, { error: 'is not 1 to 63 printable ASCII characters without spaces' })
      .prefault('default')
      .describe('The workers that remember together; fleets of other names in the same database know nothing of it.'),
  }),
  server: group('The HTTP server, for probes, metrics and the dashboard.', {
    enabled: flag().prefault(true).describe('Whether there is one.'),
    host: text().prefault('127.0.0.1').describe('The address of this machine that it listens on.'),
    port: integer(0, 65_535)
      .prefault(7717)
      .describe('Its port; 0: any that is free. The default one is waited for, any other must be free at the start.'),
    tokenFile: text()
      .nullable()
      .prefault(null)
      .describe('A file with the token that the dashboard and /api ask for: 16 characters or more.'),
    allowedHosts: listOf(text()).prefault([]).describe('Names by which it may be asked, beside its own.'),
    pickupSlo: duration()
      .prefault('1m')
      .describe('Clinks that wait longer for their handlers are counted (pickup_slo_exceeded_total).'),
  }),
  log: group('What is logged.', {
    level: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .prefault('info')
      .describe('The least that is logged.'),
    format: oneOf(['auto', 'pretty', 'json']).prefault('auto').describe('auto: pretty on a terminal, JSON otherwise.'),
    content: flag().prefault(false).describe('Log what clinks say.'),
    keep: group("Each clink's own log, for clink-worker logs. null: none is kept.", {
      perClink: size(1_024).prefault('256KiB').describe('The most that is kept for one clink.'),
      for: duration().prefault('14d').describe('How long it is kept.'),
      total: size(1_048_576).prefault('1GiB').describe('The most that is kept of all; the oldest goes first.'),
    }).nullable(),
  }),
})

export type ParsedConfig = z.output<typeof configSchema>
