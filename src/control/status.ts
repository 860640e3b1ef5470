import { z } from 'zod'

const ms = (about: string) => z.number().describe(`${about}, in milliseconds.`)
const time = (about: string) => z.string().describe(`${about} (ISO 8601, UTC).`)
const count = (about: string) => z.number().int().describe(`${about}.`)
const said = (about: string) => z.string().describe(`${about}, for people.`)
const who = z.string().describe('Who wanted it, as their command said.')
const note = z.string().nullable().describe('Why, in their words.')
const scope = z.enum(['worker', 'fleet']).describe('fleet: one limit of all workers that share a store.')

const pause = z.object({
  route: z.string().nullable().describe('The route that is paused; null: everything.'),
  isFleet: z.boolean().describe('For all workers of the fleet: only `resume --fleet` ends it.'),
  hasRoute: z
    .boolean()
    .default(true)
    .describe('This worker has such a route. False: it holds back nothing here, and is kept until it is ended.'),
  by: who,
  note,
  since: time('When it was asked for'),
  left: ms('How long it lasts still; null: until it is resumed').nullable(),
})

const route = z.object({
  name: z.string(),
  file: z.string().describe('The file of its handler, its program, or its address.'),
  generation: count('How often handlers were loaded when this one was'),
  isGone: z
    .boolean()
    .default(false)
    .describe(
      'A reload has taken it away, and clinks of it are still in hand: they are given back instead of started.',
    ),
  running: count('Clinks whose handler runs'),
  waiting: count('Clinks in hand that wait for a slot, a thread or the limits of the route'),
  held: count('Clinks in hand that back off or sleep'),
  settling: count('Clinks of which Clink is being told'),
  limits: z.object({
    concurrency: z.number().int().nullable(),
    rate: z
      .object({ count: z.number().int(), window: ms('Its window'), left: z.number().int().nullable(), scope })
      .nullable()
      .describe('Starts in a window of time, and how many of them are left now.'),
    serial: z.enum(['group', 'sender']).nullable(),
    serialScope: scope.nullable(),
    weight: count('Slots that a clink of it takes'),
  }),
  waits: z
    .array(z.enum(['operator', 'failing', 'concurrency', 'rate']))
    .readonly()
    .describe(
      'Why no clink of it is taken now: an operator has paused it, everything on it fails (one clink at a time tries again), or it is at its limit.',
    ),
  lastFailure: z
    .object({ id: z.string().describe('The clink.'), reason: said('What its handler has failed with') })
    .nullable()
    .default(null)
    .describe('The last one, where everything on it fails; null: not everything does.'),
})

const delivery = z.object({
  id: z.string(),
  group: z.string().describe('Its slug, or its id.'),
  sender: z.string().describe('The id of its sender.'),
  route: z.string(),
  state: z
    .enum(['waiting', 'running', 'held', 'asleep', 'settling', 'settled', 'lost'])
    .describe('`lost`: its claim is gone, and the code of its handler has not ended.'),
  attempt: count('The number of its last start; 0: none yet'),
  for: ms('How long it has been so'),
  lease: ms('What is left of its claim, as far as the worker trusts it'),
  due: ms('Until it starts again; null: it is not held').nullable(),
  why: said('Why it is held; null: it is not').nullable(),
  isStuck: z.boolean().describe('Its handler ignores its abort.'),
})

const notWorked = z.object({
  route: z.string().nullable().describe('The route; null: it is about no route.'),
  sender: z.string().nullable().describe('The id of the sender; null: it is about no sender.'),
  why: z
    .string()
    .describe(
      'A word. Of a route: paused, failing, concurrency, rate, serial, slots. Of what is left alone: the setting that says so (inbox.ignore), or a word of docs/events.md (circle, cooling, identity-unknown, no-route).',
    ),
  isParked: z.boolean().describe('Their claims are in hand, and run out.'),
  count: z.number().int().describe('How many clinks.'),
  left: ms('Until that may change by itself, for the first of them; null: nobody knows').nullable(),
})

const whys = (about: string) => z.array(z.object({ why: z.string(), count: z.number().int() })).describe(about)

/** What `status --json` prints: `schema/status.schema.json` is made of it. A field may be added to a version; anything else is another one. */
export const status = z.object({
  version: z.literal(1).describe('Of this form.'),
  worker: z.object({
    version: z.string().describe('Of clink-worker.'),
    pid: z.number().int(),
    session: z.string().describe('What it is called at the service.'),
    url: z.string().describe('The service.'),
    startedAt: time('When the process began to work'),
    uptime: ms('How long that is ago'),
    isOnce: z.boolean().describe('It ends when the inbox is empty.'),
  }),
  fleet: z
    .object({
      name: z.string().describe('Of the fleet.'),
      member: z.string().describe('Which member it is, as `status --fleet --json` says.'),
      machine: z
        .string()
        .describe(
          'What `status --fleet` calls it; where several are called so, with the first six characters of `member`.',
        ),
    })
    .nullable()
    .default(null)
    .describe('The workers that share `state.url`; null: it remembers alone.'),
  server: z
    .object({
      url: z.string().nullable().describe('Where it listens.'),
      problem: said('What keeps it from listening; it is tried again').nullable(),
    })
    .nullable()
    .describe('The HTTP server; null: it is switched off.'),
  reload: z
    .object({ problem: said('What is wrong with it, one line each'), since: time('When that was seen first') })
    .nullable()
    .default(null)
    .describe(
      'Configuration or handlers were changed and cannot be used, so that those of before stay; null: what is there is in use.',
    ),
  state: z
    .enum(['working', 'idle', 'paused', 'draining', 'drained', 'not-ready', 'stopping'])
    .describe('In one word. `idle`: it would take a clink, and has none in hand.'),
  ready: z.boolean().describe('It takes clinks.'),
  alive: z.boolean().describe('Its loops make progress.'),
  reasons: z.array(z.string()).describe('Why it is not ready, or not alive, for people.'),
  next: z
    .object({ why: said('What keeps it from working, or what waits for a person'), command: z.string().nullable() })
    .nullable()
    .describe('The first thing to look at, and the command to type; null: there is none.'),
  slots: z.object({ total: z.number().int(), taken: z.number().int() }).describe('Of `concurrency`.'),
  counts: z.object({
    running: count('Clinks whose handler runs'),
    queued: count('Clinks in hand that wait to start'),
    held: count('Clinks in hand that back off or sleep'),
    settling: count('Clinks of which Clink is being told'),
    parked: count('Claims that run out, since their clinks are not to be run now'),
    rerunning: count('Dead letters that are run again by hand'),
    failing: count('Clinks that wait, in hand or in the inbox, since everything on their route fails'),
    stuck: count('Handlers that ignore their abort'),
    maybeClaimed: count('Clinks that may be claimed though none of them is in hand'),
    unrouted: count('Clinks that were left alone since no route takes them'),
    circlesEnded: count('Circles of workers that were ended here'),
    deadLetters: count('Clinks that were given up, and wait for a person'),
    lateResults: count('Results that Clink could not be told'),
  }),
  pauses: z.array(pause),
  draining: z.object({ by: who, note, since: time('When it was asked for') }).nullable(),
  routes: z.array(route),
  deliveries: z
    .array(delivery)
    .describe(
      'The clinks in hand: those whose handlers run, then those that start or are settled, then those that are held; of each the one that has been so for the longest first. 200 at most.',
    ),
  deliveriesLeftOut: count('How many of them are not told'),
  held: whys('Clinks that back off or sleep, by why.'),
  parked: whys('Claims that are parked, by why their clinks are not run.'),
  inbox: z
    .object({
      pending: count('Clinks that this worker would take'),
      leftAlone: count('Clinks that it leaves alone'),
      isSaturated: z.boolean().describe('One list (100 clinks) did not show all: there may be more of either.'),
      isStarved: z
        .boolean()
        .default(false)
        .describe('The service shows only clinks that are not for this worker: what lies behind them is out of reach.'),
    })
    .nullable()
    .describe('What waits in the inbox, as the last look at it has shown; null: not known.'),
  notWorked: z
    .array(notWorked)
    .readonly()
    .describe(
      'What waits and is not worked now, by route and sender; as far as one list of the inbox (100 clinks) shows.',
    ),
  leftAlone: whys(
    'Clinks that are left alone, by why, among them all that the last look at the inbox has shown: of the last 10,000 those that were not completed here since, and that the last look at the whole inbox has shown, where there was one. A word as in `notWorked`, or given-up (a dead letter), discarded (one that somebody has discarded).',
  ),
  claims: z.enum(['batch', 'select', 'none']).describe('The way of claiming that is right now.'),
  key: z.object({
    fingerprint: z.string().describe('Tells keys apart; far too short to find the key by.'),
    isProven: z.boolean().describe('It is known to be ours.'),
    refusal: said('Why the key is not used').nullable(),
    unused: said('Why the key in use is not the one in the key file').nullable().default(null),
  }),
  identity: z.string().nullable().describe('Who we are at the service; null: not known yet.'),
  siblings: z
    .enum(['refused', 'granted', 'unknown', 'exclusive'])
    .describe('Whether the service refuses a claim on what another session with this key holds.'),
  leases: z
    .object({
      areTold: z.boolean().nullable().describe('Whether answers say how long a claim lasts.'),
      areRenewed: z.boolean().nullable().describe('Whether claims are renewed.'),
    })
    .describe('What this process has found out about claims at the service; null: nothing has shown it yet.'),
  totals: z
    .object({
      completed: z.number().int(),
      released: z.number().int(),
      deadLettered: z.number().int(),
      lost: z.number().int(),
    })
    .describe('Since the process began to work.'),
})
export type Status = z.output<typeof status>

const none = z.object({
  version: z.literal(1),
  worker: z.null().describe('No worker answers.'),
  reasons: z.array(z.string()).describe('Why, for people.'),
  next: status.shape.next,
})
export type NoStatus = z.output<typeof none>

const START: Status['next'] = {
  why: 'start one, or name its state directory with --state',
  command: 'clink-worker run',
}

export function noStatus(reason: string, next = START): NoStatus {
  return { version: 1, worker: null, reasons: [reason], next }
}

/** What `status --json` prints. */
export const statusOutput = z.union([status, none])

/** The text of `schema/status.schema.json`. */
export function statusSchemaText(): string {
  const { $schema, ...rest } = z.toJSONSchema(statusOutput, { target: 'draft-7' })
  return `${JSON.stringify({ $schema, title: 'What clink-worker status --json prints', ...rest }, undefined, 2)}\n`
}
