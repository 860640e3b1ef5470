import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'vitest'
import { TempDir } from './temp-dir.ts'

/** A file system of 512 KiB, or of another size: `using`. */
export class SmallDisk implements Disposable {
  readonly #directory = new TempDir()
  readonly state: string
  readonly #mount: string
  readonly #filler: string

  constructor(context: TestContext, size = '512k') {
    this.#mount = join(this.#directory.path, 'disk')
    this.state = join(this.#mount, 'state')
    this.#filler = join(this.#mount, 'filler')
    mkdirSync(this.#mount)
    const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', this.#mount], {
      encoding: 'utf8',
    })
    if (status === 0) return
    this.#directory[Symbol.dispose]()
    context.skip(`no small file system can be mounted here: ${error?.message ?? stderr.trim()}`)
  }

  /** Writes until nothing more fits. */
  fill(): void {
    const piece = Buffer.alloc(4_096, 1)
    try {
      for (;;) writeFileSync(this.#filler, piece, { flag: 'a' })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
    }
  }

  makeReadOnly(): void {
    spawnSync('mount', ['-o', 'remount,ro', this.#mount])
  }

  free(): void {
    rmSync(this.#filler)
  }

  [Symbol.dispose](): void {
    spawnSync('umount', ['-l', this.#mount])
    this.#directory[Symbol.dispose]()
  }
}
