import type { Envelope } from '../../src/runners/envelope.ts'
import type { TaskServices } from '../../src/runners/runner.ts'
import { clink } from './handler-files.ts'

/** Does nothing for a run, and keeps none of its steps. */
export const noServices: TaskServices = {
  log: () => {},
  reply: async () => await Promise.resolve('msg_2'),
  beginStep: async () => await Promise.resolve(undefined),
  endStep: async () => {},
  sleep: async () => await Promise.resolve(undefined),
  keepalive: () => {},
  mask: () => {},
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- there is no service
  api: undefined as never,
}

/** What a run is given. */
export function envelopeOf(change: Partial<Envelope> = {}): Envelope {
  return {
    clink: clink(),
    attempt: 1,
    hops: 0,
    deadline: 0,
    idempotencyKey: 'msg_1',
    match: { route: 'a', text: '', groups: {} },
    with: {},
    ...change,
  }
}
