import type { Limits } from '../../src/handlers/route.ts'
import type { FleetPlan } from './plan-fleet.ts'
import type { HoldPlan } from './plan-holds.ts'
import type { OperationKind } from './record.ts'
import type { StorePlan } from './slow-store.ts'

/** What a seed may have beside what every seed has. */
export const WORDS = [
  'never',
  'failing',
  'page',
  'pages',
  'bare',
  'sends',
  'ring',
  'mixed',
  'marks',
  'busy',
  'asker',
  'times',
  'field',
  'snapshot-refuse',
  'absent-ignore',
  'single',
  'late',
  'keys',
  'clock-in-stop',
  'sour',
  'letters',
  'shorter',
  'slow-store',
  'patterns',
  'limits',
  'heavy',
  'steps',
  'sleeps',
  'settings',
  'holds',
  'absent',
  'killed',
  'slow-end',
  'late-begun',
  'idle',
] as const
/** Three members of a fleet; spoken before all others, and only where it is asked for. */
export const FLEET = 'fleet'
/** What only fleets have. */
const OF_FLEETS = ['paused-fleet', 'fleet-limits'] as const
export type WordName = (typeof WORDS)[number] | typeof FLEET | (typeof OF_FLEETS)[number]
export const ALL_WORDS: readonly WordName[] = [FLEET, ...WORDS, ...OF_FLEETS]

/** Forms in which services write times. */
export const TIME_FORMS = [
  'no-zone',
  'offset',
  'offset-plain',
  'offset-short',
  'no-zone-seconds',
  'microseconds',
  'no-zone-microseconds',
  'blank',
  'small-letters',
  'comma',
  'basic',
  'nanoseconds',
  'words',
  'number',
  'nonsense',
] as const
export type TimeForm = (typeof TIME_FORMS)[number]

/** Fields of a clink, as the contract names them. */
export const FIELDS = [
  'clink_id',
  'group_id',
  'sender_id',
  'sender_name',
  'content',
  'created_at',
  'status',
  'group_name',
  'group_slug',
  'claimed_by',
  'claimed_at',
  'claim_expires_at',
  'for',
] as const
type Field = (typeof FIELDS)[number]

/** What stands in the place of a field, in the records of each so manyth clink. */
export interface FieldPlan {
  readonly name: Field
  readonly as: 'absent' | 'null' | 'number'
  readonly every: number
}

/** Answers of something in front of the service, in place of the service's own. */
export interface PagePlan {
  readonly from: number
  readonly to: number
  readonly rate: number
  readonly status: number
  /** What it is for; absent: everything. */
  readonly kinds?: readonly OperationKind[]
  readonly body: 'html' | 'empty' | 'cut' | 'object' | 'list'
  /** Whether the service had carried the request out. */
  readonly isAfter: boolean
}

/** Routes look at texts, and some texts take their patterns long. */
interface PatternPlan {
  /** Part of the clinks whose routes are not known at once. */
  readonly part: number
  /** The longest that it takes, in milliseconds. */
  readonly slowest: number
  /** Part of these tries that fail. */
  readonly failing: number
  /** After it all are known at once. */
  readonly until: number
}

/** What runs the handlers is not the worker's own process. */
export interface RunnerPlan {
  /** Part of the runs that are ended in the middle of what they do. */
  readonly killed?: { readonly part: number }
  /** Part of the runs whose code begins late, and the longest that it takes, in milliseconds. */
  readonly late?: { readonly part: number; readonly slowest: number }
  /** Most of its code takes its time after an abort, or ignores that; its runner ends it then. */
  readonly isSlowToEnd?: boolean
  /** Times in which it begins nothing, and the longest that it takes until that shows, in milliseconds. */
  readonly away?: {
    readonly times: readonly { readonly from: number; readonly to: number }[]
    readonly slowest: number
  }
}

/** A sender that writes its next clink when the last one was answered. */
export interface AskerPlan {
  readonly from: string
  readonly at: number
  readonly count: number
  readonly group: string
  readonly pause: number
}

/** What the world does beside the faults of the network and the turns of processes. */
export interface World {
  /** Times in which every run fails. */
  readonly failing: readonly { readonly from: number; readonly to: number }[]
  readonly times?: TimeForm
  readonly field?: FieldPlan
  readonly pages: readonly PagePlan[]
  /** What refusals of the service look like: something in front of it rewrites them all. */
  readonly refusals: 'envelope' | 'object' | 'html'
  readonly askers: readonly AskerPlan[]
  /** Of the route that takes every clink. */
  readonly limits?: Limits
  /** How long its runs may show no sign of life, in milliseconds. */
  readonly idle?: number
  /** Absent: it is known at once which route a clink takes. */
  readonly patterns?: PatternPlan
  /** Handlers do so many steps at most, each once for its clink. */
  readonly steps?: { readonly most: number }
  /** They sleep, for so many milliseconds at most. */
  readonly sleeps?: { readonly longest: number }
  /** Absent: handlers run in the process of their worker, which is always there. */
  readonly runner?: RunnerPlan
  /** Absent: journals are written at once, or nearly. */
  readonly store?: StorePlan
  /** Operators pause and drain workers. */
  readonly holds: readonly HoldPlan[]
  /** Absent: each worker remembers alone. */
  readonly fleet?: FleetPlan
}

export const PLAIN_WORLD: World = { failing: [], pages: [], refusals: 'envelope', askers: [], holds: [] }

/** What a clink says whose handler does something special. */
export const SAYS = {
  /** It never succeeds. */
  never: 'never',
  /** It is done at once. */
  quick: 'quick',
  /** It sends clinks through the API: to others, to the group, to itself. */
  sends: 'sends',
  /** It is answered, whoever sent it, with a text that is answered. */
  ring: 'ring',
  /** The same, by some with text and by others with an object. */
  mixed: 'mixed',
  /** The service cannot claim it by id. */
  sour: 'sour',
} as const

/** Stands in what a run sends through the API: of which clink it was. */
export const sentFor = (clinkId: string): string => `[of ${clinkId}]`

/** The clink whose run sent a text; undefined: that is not said. */
export function sentOf(text: string): string | undefined {
  return /\[of (msg_\w+)\]/.exec(text)?.[1]
}
