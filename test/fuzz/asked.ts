import type { Asked } from '../../src/control/asked.ts'
import { requests } from '../../src/control/requests.ts'
import { askedWorker } from '../../src/daemon/asked-worker.ts'
import { Reloads } from '../../src/daemon/reloads.ts'
import { seenWorker } from '../../src/daemon/seen-worker.ts'
import { Overview } from '../../src/overview/overview.ts'
import { Bench, type Station } from '../support/harness.ts'
import { open } from '../support/states.ts'
import { TempDir } from '../support/temp-dir.ts'

/** A worker that runs, as it is asked. It cannot be stopped by a request: whoever asks next would find nobody. */
export class AskedBench implements AsyncDisposable {
  readonly directory: TempDir
  readonly asked: Asked
  readonly #bench: Bench
  readonly #station: Station
  readonly #close: () => void

  private constructor(bench: Bench) {
    this.#bench = bench
    this.directory = new TempDir()
    const state = open(this.directory.path)
    this.#close = () => state.close()
    this.#station = bench.work(() => 'done', { ledger: state.ledger, settings: { poll: { interval: 500 } } })
    const overview = new Overview()
    const worker = askedWorker(this.#station.daemon, {
      routes: [{ name: 'test' }],
      logLevel: { set: () => {} },
      isOnce: false,
      reloads: new Reloads(() => {}),
      emit: () => {},
      wall: () => Date.now(),
      server: () => null,
      seen: seenWorker(overview, this.directory.path, undefined),
    })
    this.asked = { ledger: state.ledger, worker: { ...worker, stop: () => {} } }
  }

  static async open(): Promise<AskedBench> {
    const bench = await Bench.open()
    return new AskedBench(bench)
  }

  get hasEnded(): boolean {
    return this.#station.exit !== undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bench[Symbol.asyncDispose]()
    this.#close()
    this.directory[Symbol.dispose]()
  }
}

/** A request as commands send it, for each name. */
export const SAMPLES: readonly Readonly<Record<string, unknown>>[] = Object.keys(requests).map((request) => ({
  request,
  ...(
    {
      'clinks.remembered': { ids: ['msg_1', 'msg_2'] },
      'failed.letters': { after: { at: 5, id: 'msg_1' }, route: 'test', since: 7 },
      'failed.late': { group: 'ops', error: 'Error' },
      'failed.letter': { id: 'msg_1' },
      'failed.steps': { id: 'msg_1', texts: true },
      'failed.retry': { by: 'ann', ids: ['msg_1'] },
      'failed.discard': { by: 'ann', ids: ['msg_1'], matching: 'x', note: 'why' },
      'failed.alike': { by: 'ann', act: 'retry', route: 'test', kind: 'Error' },
      pause: { by: 'ann', route: 'test', for: 60_000, note: 'why' },
      resume: { by: 'ann', route: 'test' },
      drain: { by: 'ann' },
      stop: { by: 'ann' },
      cancel: { by: 'ann', id: 'msg_1', to: 'release' },
      reload: { by: 'ann' },
      'log-level': { by: 'ann', level: 'debug', for: 1_000 },
      clink: { id: 'msg_1' },
      'clink.log': { id: '../msg_1' },
    } as Readonly<Record<string, object>>
  )[request],
}))
