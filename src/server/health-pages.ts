import { jsonAnswer } from './answer.ts'
import type { Pages } from './operator-server.ts'

/** Who can tell. */
interface Examined {
  settledLiveness(): Promise<{ readonly alive: boolean; readonly reasons: readonly string[] }>
  readiness(): { readonly ready: boolean; readonly reasons: readonly string[] }
}

/** For probes. 503 is an answer too: it says why. */
export function healthPages(worker: Examined): Pages {
  return {
    '/livez': async () => {
      const { alive, reasons } = await worker.settledLiveness()
      return jsonAnswer(alive ? 200 : 503, { alive, reasons })
    },
    '/readyz': () => {
      const { ready, reasons } = worker.readiness()
      return jsonAnswer(ready ? 200 : 503, { ready, reasons })
    },
  }
}
