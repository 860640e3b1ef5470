import type { IncomingMessage, ServerResponse } from 'node:http'
import { CodedError } from '../base/coded-error.ts'
import { inAddress } from '../base/host-names.ts'
import { errorAnswer, type Ending, type PlainAnswer, type PlainRequest } from './answer.ts'
import { control, CONTROL } from './control.ts'
import { movableClock } from './clock.ts'
import { DataFile } from './data-file.ts'
import type { Emulator, EmulatorOptions, SendOptions } from './emulator-interface.ts'
import { checkedRule } from './fault-rules.ts'
import { Faults, type FaultHandle, type FaultRule } from './faults.ts'
import { Front, writeAnswer } from './front.ts'
import { readBody } from './intake/body.ts'
import { HttpServer } from './http-server.ts'
import type { SeenRequest } from './request-log.ts'
import { permissionNames } from './permissions.ts'
import { approve, expire } from './resources/approvals.ts'
import { send } from './resources/clinks.ts'
import { plant } from './seed/plant.ts'
import type { Seed } from './seed/seed.ts'
import { ClinkService } from './service.ts'
import { ClinkStore, type HistoryEntry, type StoredClink } from './store/clink-store.ts'
import { Ids } from './store/ids.ts'
import { restoreSnapshot, takeSnapshot, type Snapshot } from './store/snapshot.ts'
import { Tables, type Owner, type StoredGroup, type StoredKey, type StoredVerification } from './store/tables.ts'
import { Switchboard, type Switches } from './switches.ts'
import type { World } from './world.ts'

/** Options whose files have been read. */
export interface Prepared extends Omit<EmulatorOptions, 'seed' | 'faults'> {
  readonly seed: Seed
  readonly faults: readonly FaultRule[]
  readonly kept?: Snapshot | undefined
}

/** The emulator behind its interface. It has no port before `reconnect`. */
export class EmbeddedClink implements Emulator {
  readonly #host: string
  readonly #world: World
  readonly #front: Front
  readonly #faults: Faults
  readonly #server: HttpServer
  readonly #data: DataFile | undefined
  #up = new AbortController()
  #closing: Promise<unknown> = Promise.resolve()
  #closed = false
  #returning: NodeJS.Timeout | undefined

  constructor(options: Prepared) {
    const { kept, random = Math.random } = options
    const own = movableClock(kept?.moved)
    this.#host = options.host ?? '127.0.0.1'
    this.#world = {
      tables: new Tables(),
      clinks: new ClinkStore(),
      ids: new Ids(random, kept?.ids),
      switchboard: new Switchboard(),
      clock: options.clock ?? own,
      random,
    }
    this.#world.switchboard.set(options.switches ?? {})
    if (kept === undefined) plant(this.#world, options.seed)
    else restoreSnapshot(this.#world, kept)
    this.#data =
      options.data === undefined ? undefined : new DataFile(options.data, () => takeSnapshot(this.#world, own.moved))
    this.#faults = new Faults(random)
    for (const rule of options.faults) this.addFault(rule)
    const service = new ClinkService(this.#world, () => this.#changed())
    this.#front = new Front(this.#world, service, this.#faults)
    this.#server = new HttpServer(this.#host, options.port ?? 0, (request, response) => this.#serve(request, response))
  }

  get url(): string {
    return `http://${inAddress(this.#host)}:${this.port}`
  }

  get port(): number {
    return this.#server.port
  }

  get keys(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#world.tables.keys.values()].map(({ name, key }) => [name, key]))
  }

  get key(): string {
    const [first] = this.#world.tables.keys.values()
    return first?.key ?? ''
  }

  get switches(): Switches {
    return this.#world.switchboard.settings
  }

  setSwitches(changes: Partial<Switches>): void {
    this.#world.switchboard.set(changes)
  }

  addFault(rule: FaultRule): FaultHandle {
    return this.#faults.add(checkedRule(rule))
  }

  faults(): readonly FaultHandle[] {
    return this.#faults.all()
  }

  clearFaults(): void {
    this.#faults.clear()
  }

  requests(): readonly SeenRequest[] {
    return this.#front.log.all()
  }

  clinks(): readonly StoredClink[] {
    this.#expire()
    return this.#world.clinks.all()
  }

  clink(id: string): StoredClink | undefined {
    this.#expire()
    return this.#world.clinks.get(id)
  }

  changeClink(id: string, patch: Partial<StoredClink>): StoredClink {
    const clink = this.clink(id)
    if (clink === undefined) throw new CodedError('USAGE', `No clink "${id}"`)
    this.#changed()
    // What is pending is held by nobody.
    return this.#world.clinks.change(clink, patch.status === 'pending' ? { claim: undefined, ...patch } : patch)
  }

  history(id: string): readonly HistoryEntry[] {
    this.#expire()
    return this.#world.clinks.historyOf(id)
  }

  send(group: string, text: string, options: SendOptions = {}): StoredClink {
    const { owner_id } = this.#group(group)
    const from = this.#owner(options.from ?? owner_id)
    const to = options.for === undefined ? undefined : this.#owner(options.for).id
    this.#expire()
    this.#changed()
    const { age } = options
    return send(this.#world, this.now(), { group: this.#group(group), from, content: text, for: to, age })
  }

  leave(group: string, member: string): void {
    const { id } = this.#owner(member)
    const stored = this.#group(group)
    const members = stored.members.filter((other) => other.id !== id)
    this.#world.tables.groups.set(stored.group_id, { ...stored, members })
    this.#changed()
  }

  join(group: string, member: string): void {
    const { id } = this.#owner(member)
    const stored = this.#group(group)
    if (stored.members.some((other) => other.id === id)) return
    const members = [...stored.members, { id, role: 'member' as const, joined: this.now() }]
    this.#world.tables.groups.set(stored.group_id, { ...stored, members })
    this.#changed()
  }

  renameGroup(named: string, slug: string): void {
    const { groups } = this.#world.tables
    const stored = this.#group(named)
    if ([...groups.values()].some((other) => other.slug === slug && other.group_id !== stored.group_id))
      throw new CodedError('USAGE', `The slug "${slug}" is taken`)
    groups.set(stored.group_id, { ...stored, slug })
    this.#changed()
  }

  suspendKey(name: string, suspended = true): void {
    const key = this.#key(name)
    this.#world.tables.keys.set(key.key, { ...key, suspended })
    this.#changed()
  }

  permitKey(name: string, permissions: readonly string[]): void {
    const key = this.#key(name)
    const unknown = permissions.find((text) => !permissionNames.some((known) => known === text))
    if (unknown !== undefined) throw new CodedError('USAGE', `No permission "${unknown}"`)
    this.#world.tables.keys.set(key.key, { ...key, permissions })
    this.#changed()
  }

  verifications(): readonly StoredVerification[] {
    return [...this.#world.tables.verifications.values()]
  }

  approve(verificationId: string): void {
    approve(this.#world, verificationId, this.now())
    this.#changed()
  }

  expire(verificationId: string): void {
    expire(this.#world, verificationId, this.now())
    this.#changed()
  }

  moveClock(ms: number): void {
    this.#world.clock.move(ms)
    this.#changed()
  }

  now(): number {
    return this.#world.clock.now()
  }

  async withFaults(request: PlainRequest, wait: (ms: number) => Promise<boolean>): Promise<Ending> {
    return await this.#front.withFaults(request, wait)
  }

  handle(request: PlainRequest): Promise<PlainAnswer> {
    return Promise.resolve(this.#front.handle(request))
  }

  disconnect(): void {
    clearTimeout(this.#returning)
    this.#up.abort()
    this.#closing = Promise.all([this.#closing, this.#server.close()])
  }

  async reconnect(): Promise<void> {
    await this.#closing
    if (this.#closed) return
    this.#up = new AbortController()
    await this.#server.open()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.disconnect()
    await this.#closing
    await this.#data?.close()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { signal } = this.#up
    if (request.url === CONTROL || request.url?.startsWith(`${CONTROL}/`) === true)
      await this.#control(request, response)
    else await this.#front.serve(request, response, signal)
  }

  /** Control calls need no key, so they are for this machine's programs only, and not for pages in its browser. */
  async #control(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await readBody(request)) ?? ''
    const plain = { method: request.method ?? 'GET', path: request.url ?? '', body }
    const answer =
      isLoopback(request.socket.remoteAddress) && request.headers.origin === undefined
        ? control(this, plain, (ms) => response.once('finish', () => this.#goAway(ms)))
        : errorAnswer(403, 'Control calls are answered to programs on this machine only')
    writeAnswer(response, answer)
  }

  #goAway(ms: number): void {
    if (this.#closed) return
    this.disconnect()
    this.#returning = setTimeout(() => {
      // A port that somebody else took meanwhile stays theirs.
      this.reconnect().catch(() => undefined)
    }, ms)
  }

  #changed(): void {
    this.#data?.changed()
  }

  #expire(): void {
    this.#world.clinks.expire(this.now())
  }

  #key(name: string): StoredKey {
    const key = [...this.#world.tables.keys.values()].find((stored) => stored.name === name)
    if (key === undefined) throw new CodedError('USAGE', `No key "${name}"`)
    return key
  }

  #group(named: string): StoredGroup {
    const groups = [...this.#world.tables.groups.values()]
    const group = groups.find(({ group_id, slug }) => named === group_id || named === slug)
    if (group === undefined) throw new CodedError('USAGE', `No group "${named}"`)
    return group
  }

  #owner(named: string): Owner {
    const owner = [...this.#world.tables.owners.values()].find(({ id, name }) => named === id || named === name)
    if (owner === undefined) throw new CodedError('USAGE', `No user or agent "${named}"`)
    return owner
  }
}

function isLoopback(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address ?? '')
}
