import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClinkLogs } from '../clink-logs/clink-logs.ts'
import { ClinkLogReader } from '../clink-logs/read.ts'
import { logsOf } from '../clink-logs/segments.ts'
import type { Overview } from '../overview/overview.ts'

export type SeenWorker = ReturnType<typeof seenWorker>

/** What is kept of a worker's past, and where. @param overview undefined: nobody looks. */
export function seenWorker(
  overview: Overview | undefined,
  stateDirectory: string,
  logs: Pick<ClinkLogs, 'has'> | undefined,
) {
  return {
    hasLog: (id: string) => logs?.has(id) === true,
    past: overview && pastOf(overview),
    journalSize: async () => await sizeOf(stateDirectory),
    log: async (id: string, most: number) => (await new ClinkLogReader(logsOf(stateDirectory), id).next()).slice(-most),
  }
}

function pastOf(overview: Overview) {
  const { history, runs, routes, service, timelines } = overview
  return {
    run: (id: string) => runs.of(id),
    timeline: (id: string) => timelines.of(id),
    get spans() {
      return history.spans
    },
    length: history.length,
    get routes() {
      return routes.all
    },
    get service() {
      return service.all
    },
    get lateness() {
      return overview.lateness
    },
  }
}

/** Bytes of the journal with what belongs to it. */
async function sizeOf(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => [])
  const sizes = names
    .filter((name) => name.startsWith('journal'))
    .map(async (name) => (await stat(join(directory, name)).catch(() => undefined))?.size ?? 0)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
