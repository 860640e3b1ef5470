import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A directory of a test's own: `using`. */
export class TempDir implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'clink-worker-'))

  /** Writes files by their names and returns the directory's path. */
  async write(files: Readonly<Record<string, string>>): Promise<string> {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.path, name)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, text)
    }
    return this.path
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
