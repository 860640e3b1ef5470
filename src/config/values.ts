import { z } from 'zod'
import { formatDuration, parseDuration } from '../base/duration.ts'
import { readWebAddress } from '../base/web-address.ts'

const LARGEST = 64 * 1_073_741_824
const LONGEST = 3_650 * 86_400_000
const DURATION_ADVICE = 'is not a duration; write 250ms, 30s, 5m, 1h'
const SENDER_ADVICE = 'is neither an id nor { name: … } for a display name'
const RATE_ADVICE = 'is not a rate; write 30/10m for thirty in ten minutes'

/** A duration text, in milliseconds from `min` up. */
export function duration(min = 1) {
  return z
    .string({ error: DURATION_ADVICE })
    .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, { error: DURATION_ADVICE, abort: true })
    .transform((text, context) => {
      const ms = parseDuration(text) ?? Number.NaN
      if (ms >= min && ms <= LONGEST) return ms
      const bound = ms < min ? `shorter than ${formatDuration(min)}` : `longer than ${formatDuration(LONGEST)}`
      context.issues.push({ code: 'custom', input: text, message: `is ${bound}` })
      return z.NEVER
    })
}

/** A rate: so many in so many milliseconds. `30/10m` is `{ count: 30, window: 600_000 }`. */
export interface Rate {
  readonly count: number
  readonly window: number
}

/** `30/10m` */
export function rate() {
  return z
    .string({ error: RATE_ADVICE })
    .regex(/^\d+\/\d+(\.\d+)?(ms|s|m|h|d)$/, { error: RATE_ADVICE, abort: true })
    .transform((text, context): Rate => {
      const [count = '', window = ''] = text.split('/')
      const read = { count: Number(count), window: parseDuration(window) ?? 0 }
      if (read.count >= 1 && read.window >= 1 && read.window <= LONGEST && Number.isSafeInteger(read.count)) return read
      context.issues.push({ code: 'custom', input: text, message: RATE_ADVICE })
      return z.NEVER
    })
}

const SCOPES = ['worker', 'fleet'] as const

function scope() {
  return oneOf(SCOPES)
    .exactOptional()
    .describe('fleet: one limit for all workers that share state.url. Default: worker, each for itself.')
}

/** What is wrong with a text, and how a group is written. */
function orGroup(advice: string, example: string) {
  return ({ input }: { readonly input?: unknown }): string =>
    typeof input === 'string' ? advice : `${advice}, or { ${example}, scope: fleet }`
}

/** `60/1m`, or with a scope. What is each worker's own is read as it always was. */
function scopedRate() {
  const group = z.strictObject({ limit: rate().describe('60/1m: so many starts in any such time.'), scope: scope() })
  return z.union([rate(), group], { error: orGroup(RATE_ADVICE, 'limit: 30/10m') }).transform((read): ScopedRate => {
    if (!('limit' in read)) return read
    return read.scope === 'fleet' ? { ...read.limit, scope: 'fleet' } : read.limit
  })
}

export interface ScopedRate extends Rate {
  /** Left out: each worker has its own. */
  readonly scope?: 'fleet'
}

/** `sender`, or with a scope. */
function scopedSerial() {
  const by = oneOf(['group', 'sender'])
  return z
    .union([by, z.strictObject({ by: by.describe('Of what there is one at a time.'), scope: scope() })], {
      error: 'is not one of group, sender',
    })
    .transform((read): ScopedSerial => {
      if (typeof read === 'string') return read
      return read.scope === 'fleet' ? { by: read.by, scope: 'fleet' } : read.by
    })
}

export type ScopedSerial = 'group' | 'sender' | { readonly by: 'group' | 'sender'; readonly scope: 'fleet' }

const UNITS: Readonly<Record<string, number>> = { KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 }
const SIZE_ADVICE = 'is not a size; write 256KiB, 16MiB, 1GiB'

/** A size text, in bytes from `min` up. */
export function size(min: number) {
  return z
    .string({ error: SIZE_ADVICE })
    .regex(/^\d+(KiB|MiB|GiB)$/, { error: SIZE_ADVICE, abort: true })
    .transform((text, context) => {
      const bytes = Number.parseInt(text, 10) * (UNITS[text.slice(-3)] ?? Number.NaN)
      if (bytes >= min && bytes <= LARGEST) return bytes
      const message = bytes < min ? `is smaller than ${min / 1_024}KiB` : 'is larger than 64GiB'
      context.issues.push({ code: 'custom', input: text, message })
      return z.NEVER
    })
}

/** Text as it is written, blanks included. */
export function verbatim() {
  return z
    .string({ error: ({ input }) => `is not text${typeof input === 'number' ? '; put it in quotes' : ''}` })
    .min(1, { error: 'is empty' })
}

/** An id, a slug, a key, a path. What environments, files and block texts leave around it is no part of it. */
export function text() {
  return verbatim()
    .trim()
    .min(1, { error: 'is empty' })
    .refine((value) => !/[\r\n]/.test(value), { error: 'must be one line' })
}

export function integer(min: number, max: number) {
  const error = `is not a whole number from ${min} to ${max}`
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error })
}

export function flag() {
  return z.boolean({ error: 'is not true or false' })
}

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: `is not one of ${values.join(', ')}` })
}

export function listOf<Item extends z.ZodType>(item: Item, example = '[a, b]') {
  return z.array(item, { error: `is not a list; write ${example}` })
}

/** The address of the service, as everybody reads it from then on. Credentials have no place in it: it is shown in logs. */
export function webAddress() {
  return verbatim().transform((value, context) => {
    const read = readWebAddress(value)
    if ('address' in read) return read.address
    context.issues.push({ code: 'custom', input: value, message: read.problem })
    return z.NEVER
  })
}

/** The address of an application, as it is asked: there a slash at the end may mean another place. */
export function applicationAddress() {
  return verbatim().transform((value, context) => {
    const read = readWebAddress(value)
    const url = URL.parse(value.trim())
    if ('address' in read && url !== null) return url.href
    const message = 'problem' in read ? read.problem : 'is not an address'
    context.issues.push({ code: 'custom', input: value, message })
    return z.NEVER
  })
}

export function regularExpression() {
  return verbatim().superRefine((value, context) => {
    const [, inside] = /^\/(.*)\/[dgimsuvy]*$/s.exec(value) ?? []
    if (inside !== undefined) {
      context.addIssue(`is written between slashes, which would be part of it; write ${inside} (and [/] for a slash)`)
      return
    }
    try {
      RegExp(value)
    } catch (error) {
      context.addIssue(`is not a regular expression: ${error instanceof Error ? error.message : String(error)}`)
    }
  })
}

/** An id, or `{ name }` for a display name. */
export function sender() {
  return z.union([text(), z.strictObject({ name: text() })], { error: SENDER_ADVICE })
}

function senderOrList() {
  return z.union([sender(), listOf(sender()).min(1, { error: 'is an empty list' })], {
    error: `${SENDER_ADVICE}, nor a list of them`,
  })
}

function textOrList() {
  return z.union([text(), listOf(text()).min(1, { error: 'is an empty list' })], {
    error: 'is neither text nor a list of texts',
  })
}

/** What a route takes, in the configuration or in a handler. @param content how a text may be chosen. */
export function matchRule<Content extends z.ZodType>(content: Content, example: string) {
  return z.strictObject(
    {
      group: textOrList().exactOptional().describe('Slug or id of the group; * and ? are wildcards.'),
      from: senderOrList()
        .exactOptional()
        .describe('Id of the sender, or { name } for a display name; * and ? are wildcards.'),
      for: oneOf(['me', 'anyone']).exactOptional().describe('me: addressed to the worker itself.'),
      content: z.exactOptional(content),
    },
    { error: `is not a match; write ${example}` },
  )
}

/** How much of one route may go on, in the configuration or in a handler. */
export function limitRules() {
  return {
    concurrency: integer(1, 1_000).exactOptional().describe('How many clinks of this route run at the same time.'),
    weight: integer(1, 1_000).exactOptional().describe('How many of the places of concurrency one clink takes.'),
    rate: scopedRate()
      .exactOptional()
      .describe('60/1m: most starts of its handler, retries included, in any such time.'),
    serial: scopedSerial()
      .exactOptional()
      .describe('One clink of each group, or of each sender, at a time: the next one after it is settled.'),
  }
}

export const GROUP = { error: 'is not a group of keys and values' }

/** How failed runs of one route are tried again. @param time how times are written. */
export function retryRule<Time extends z.ZodType<number>>(time: Time) {
  const backoff = z.exactOptional(time)
  return z.strictObject({ attempts: integer(1, 1_000).exactOptional(), backoff, maxBackoff: backoff }, GROUP)
}
