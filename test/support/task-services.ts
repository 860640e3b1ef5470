import type { TaskServices } from '../../src/runners/runner.ts'

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
