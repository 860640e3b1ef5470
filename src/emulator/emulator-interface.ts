import type { Ending, PlainAnswer, PlainRequest } from './answer.ts'
import type { EmulatorClock } from './clock.ts'
import type { FaultHandle, FaultRule } from './faults.ts'
import type { SeenRequest } from './request-log.ts'
import type { Seed } from './seed/seed.ts'
import type { HistoryEntry, StoredClink } from './store/clink-store.ts'
import type { StoredVerification } from './store/tables.ts'
import type { Switches } from './switches.ts'

export interface EmulatorOptions {
  /** 127.0.0.1 where none is given. */
  readonly host?: string | undefined
  /** 0, the default: any free one. */
  readonly port?: number | undefined
  /** What it starts from, or the name of a YAML file with that. */
  readonly seed?: Seed | string | undefined
  /** Name of a file in which everything is kept across restarts; when it exists, it counts and not the seed. */
  readonly data?: string | undefined
  readonly switches?: Partial<Switches> | undefined
  /** Rules, or the name of a YAML file with them. */
  readonly faults?: readonly FaultRule[] | string | undefined
  /** The machine's time where none is given. */
  readonly clock?: EmulatorClock | undefined
  readonly random?: (() => number) | undefined
}

export interface SendOptions {
  /** The group's owner where none is named. */
  readonly from?: string | undefined
  readonly for?: string | undefined
  /** Milliseconds since its creation: it can be seen only now, after clinks that are younger. 0 where none is given. */
  readonly age?: number | undefined
}

/** A recipient or sender is given by name or id, a group by slug or id. Times are emulator milliseconds since 1970. */
export interface Emulator {
  readonly url: string
  readonly port: number
  /** Texts of the seed's API keys by their names. */
  readonly keys: Readonly<Record<string, string>>
  /** The first of them. */
  readonly key: string
  readonly switches: Switches
  setSwitches(changes: Partial<Switches>): void
  addFault(rule: FaultRule): FaultHandle
  faults(): readonly FaultHandle[]
  clearFaults(): void
  /** The newest requests, at most 100,000, in order of arrival. */
  requests(): readonly SeenRequest[]
  clinks(): readonly StoredClink[]
  clink(id: string): StoredClink | undefined
  changeClink(id: string, patch: Partial<StoredClink>): StoredClink
  /** What happened to a clink, in order: the record from which tests judge a worker. */
  history(id: string): readonly HistoryEntry[]
  /** Sends as a member, without HTTP. */
  send(group: string, text: string, options?: SendOptions): StoredClink
  /** A member leaves a group; an agent profile's key sees nothing after that. */
  leave(group: string, member: string): void
  /** A user becomes a member of a group; an agent profile is of one group for ever. */
  join(group: string, member: string): void
  /** A group gets another slug. Two groups exchange theirs by way of a third. */
  renameGroup(group: string, slug: string): void
  suspendKey(name: string, suspended?: boolean): void
  /** What a key may do from now on; the rest is 403. */
  permitKey(name: string, permissions: readonly string[]): void
  verifications(): readonly StoredVerification[]
  /** A human approves: what was asked for is done. */
  approve(verificationId: string): void
  /** A human let it run out. */
  expire(verificationId: string): void
  moveClock(ms: number): void
  now(): number
  /** The same service without sockets and without faults; everything happens before this returns. */
  handle(request: PlainRequest): Promise<PlainAnswer>
  /**
   * The same without sockets, and with what its fault rules make of it.
   *
   * @param wait lets so many milliseconds pass; false: nothing happens after that.
   */
  withFaults(request: PlainRequest, wait: (ms: number) => Promise<boolean>): Promise<Ending>
  /** The service goes away: connections are cut, the port is closed, the state stays. */
  disconnect(): void
  /** It comes back on the same port. */
  reconnect(): Promise<void>
  /** Writes the data file, when there is one, and stops. Again: does nothing. */
  close(): Promise<void>
}
