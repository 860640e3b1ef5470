import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { Holder } from '../support/holders.ts'
import { open, refusal } from '../support/states.ts'

describe('§7: a state directory that is held', () => {
  it('is refused to another process, which is told who holds it', async () => {
    using directory = new TempDir()
    const state = open(directory.path)
    await using holder = await Holder.start(directory.path)
    expect(holder.said).toMatch(/^STATE_BUSY /)
    expect(holder.said).toContain(`pid ${process.pid} `)
    expect(holder.said).toContain(directory.path)
    await state.ledger.process.note({ still: 'ours' })
    state.close()
  })

  it('is refused to this process while another one has it, by its pid', async () => {
    using directory = new TempDir()
    await using holder = await Holder.start(directory.path)
    expect(holder.said).toBe('holding')
    const { code, message } = refusal(directory.path)
    expect(code).toBe('STATE_BUSY')
    expect(message).toContain(`pid ${holder.child.pid} `)
  })

  it('is refused to the same process a second time', () => {
    using directory = new TempDir()
    const state = open(directory.path)
    expect(refusal(directory.path).code).toBe('STATE_BUSY')
    state.close()
  })
})

describe('§7: a state directory is free', () => {
  it('as soon as its owner was killed, whatever its text says', async () => {
    using directory = new TempDir()
    await using holder = await Holder.start(directory.path)
    await holder.kill()
    expect(readFileSync(join(directory.path, 'owner'), 'utf8')).toContain(`pid ${holder.child.pid} `)
    const state = open(directory.path)
    expect(readFileSync(join(directory.path, 'owner'), 'utf8')).toContain(`pid ${process.pid} `)
    state.close()
  })

  it('after a close, and nobody is named any more', async () => {
    using directory = new TempDir()
    await using holder = await Holder.start(directory.path)
    await holder.close()
    expect(existsSync(join(directory.path, 'owner'))).toBe(false)
    open(directory.path).close()
    await using next = await Holder.start(directory.path)
    expect(next.said).toBe('holding')
  })

  it('after its owner was killed as the first process of a container, for the next first process', async (context) => {
    const { status, stderr, error } = spawnSync('unshare', ['-p', '-f', '--mount-proc', 'true'], { encoding: 'utf8' })
    if (status !== 0) context.skip(`no PID namespace can be made here: ${error?.message ?? stderr.trim()}`)
    using directory = new TempDir()
    await using first = await Holder.start(directory.path, { asFirst: true, written: ['kept'] })
    expect(first.said).toBe('holding')
    expect(refusal(directory.path)).toMatchObject({ code: 'STATE_BUSY', message: expect.stringMatching(/\(pid 1 on /) })
    await first.kill()
    // The kernel ends the namespace after its maker, so what was killed may not be gone yet.
    await until(() => isFree(directory.path), 'the killed owner is gone')
    await using second = await Holder.start(directory.path, { asFirst: true })
    expect(second.said).toBe('holding')
    await second.close()
    const state = open(directory.path)
    expect(state.ledger.process.fact('kept')).toBe('written')
    state.close()
  })
})

/** Only the lock decides: what else goes wrong is thrown. */
function isFree(directory: string): boolean {
  try {
    open(directory).close()
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'STATE_BUSY') return false
    throw error
  }
}

describe('P5, §7: what is remembered', () => {
  it('is ours in the directory where it was written', () => {
    using directory = new TempDir()
    const first = open(directory.path)
    const fresh = first.isOurs
    first.close()
    const second = open(directory.path)
    expect([fresh, second.isOurs]).toEqual([true, true])
    second.close()
  })

  it.each([
    ['a copy', (from: string, to: string) => cpSync(from, to, { recursive: true })],
    ['a directory that was moved', renameSync],
  ])('is not ours in %s', (_, put) => {
    using directory = new TempDir()
    open(join(directory.path, 'one')).close()
    put(join(directory.path, 'one'), join(directory.path, 'two'))
    const state = open(join(directory.path, 'two'))
    expect(state.isOurs).toBe(false)
    state.close()
  })
})
