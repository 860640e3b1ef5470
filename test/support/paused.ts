import { VirtualBench, type VirtualOptions } from './virtual.ts'

const SECOND = 1_000

/** A worker whose runs take a second. With `limits` there are two routes: `test`, and `free` of texts that begin so. */
export function benchOf(options: Partial<VirtualOptions> = {}): VirtualBench & { readonly ran: string[] } {
  const ran: string[] = []
  const bench: VirtualBench = new VirtualBench({
    handle: async ({ content }, { signal }) => {
      ran.push(content)
      await bench.take(SECOND, signal)
      return 'done'
    },
    boot: (of) => ({ id: 'virtual', uptime: () => of.clock.now() }),
    ...options,
  })
  return Object.assign(bench, { ran })
}

/** Ends its process as a stop does. */
export async function restart(bench: VirtualBench, down = 0): Promise<void> {
  await bench.stop()
  bench.slept += down
  bench.begin()
  await bench.pass(SECOND)
}
