import type { Random } from '../base/backoff.ts'
import { Secret } from '../base/secret.ts'
import type { Config } from '../config/config.ts'
import { Daemon } from '../daemon/daemon.ts'
import type { Emulator } from '../emulator/emulator.ts'
import type { Emit } from '../events.ts'
import type { HandlerSet } from '../handlers/handler-set.ts'
import { Ledger, type LedgerTables } from '../ledger/ledger.ts'
import { TestTransport } from './test-transport.ts'
import type { VirtualClock } from './virtual-clock.ts'

export interface LifeParts {
  readonly clock: VirtualClock
  readonly config: Config
  readonly emit: Emit
  readonly emulator: Emulator
  readonly handlers: HandlerSet
  readonly random: Random
  /** What the lives before it have remembered. */
  readonly tables: LedgerTables
}

/** A worker from its start to its end, as a process would have it. */
export class Life {
  readonly #clock: VirtualClock
  readonly #daemon: Daemon
  readonly #transport: TestTransport
  #isOver = false

  constructor({ clock, config, emit, emulator, handlers, random, tables }: LifeParts) {
    this.#clock = clock
    this.#transport = new TestTransport(emulator, clock)
    const isAlive = (): boolean => !this.#transport.isDead
    this.#daemon = new Daemon({
      config,
      key: new Secret(emulator.key),
      router: {
        generation: handlers.generation,
        takesAll: handlers.takesAll,
        routes: handlers.routes,
        namesGroups: handlers.namesGroups,
        idPatterns: handlers.idPatterns,
        describe: () => handlers.routes.map(({ name }) => name),
        find: (clink, identity) => {
          const found = handlers.find(clink, identity)
          return found instanceof Promise ? clock.standStill(found) : found
        },
      },
      state: { ledger: new Ledger(tables, undefined, () => clock.wall()), isOurs: true },
      emit: (event) => {
        if (isAlive()) emit(event)
      },
      transport: this.#transport,
      // What a process has set dies with it.
      clock: {
        now: () => clock.now(),
        wall: () => clock.wall(),
        at: (time, run) =>
          clock.at(time, () => {
            if (isAlive()) run()
          }),
      },
      // Each life is a process of the same machine.
      boot: { id: 'virtual', uptime: () => clock.now() },
      random,
    })
    void this.#daemon.ended.then(() => (this.#isOver = true))
    this.#daemon.start()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** As by SIGTERM. */
  stop(): void {
    void this.#daemon.stop('told to by the test')
  }

  /** As by SIGKILL: nothing of it acts any more, also no timer of a handler. */
  crash(): void {
    this.#transport.isDead = true
    this.#isOver = true
    this.#clock.dropOthers()
  }
}
