import { readFile } from 'node:fs/promises'
import { startEmulator, type Emulator } from '../../src/emulator/emulator.ts'
import { INSIDE, SystemManager } from './system-manager.ts'
import { until } from './until.ts'

export interface ServiceFiles {
  /** A handler for whatever no route takes. */
  readonly handler: string
  readonly config?: string
  /** Settings of a drop-in. */
  readonly service?: readonly string[]
  /** By their places in there. */
  readonly files?: Readonly<Record<string, string>>
  readonly tree?: string
}

const STATE = '/var/lib/private/clink-worker'

/** The shipped service under a systemd of its own, and an embedded Clink that it works for: `await using`. */
export class ServiceSite implements AsyncDisposable {
  readonly emulator: Emulator
  readonly manager: SystemManager

  private constructor(emulator: Emulator, manager: SystemManager) {
    this.emulator = emulator
    this.manager = manager
  }

  static async open({ tree, ...files }: ServiceFiles): Promise<ServiceSite> {
    const site = new ServiceSite(await startEmulator(), await SystemManager.start(tree))
    try {
      await site.#write(files)
    } catch (error) {
      await site[Symbol.asyncDispose]()
      throw error
    }
    return site
  }

  async systemctl(...args: readonly string[]): Promise<string> {
    return await this.manager.must('systemctl', ...args)
  }

  async property(name: string): Promise<string> {
    return await this.manager.property('clink-worker', name)
  }

  async log(...args: readonly string[]): Promise<string> {
    return await this.manager.log('clink-worker', ...args)
  }

  send(text: string): string {
    return this.emulator.send('ops', text, { from: 'bob' }).clink_id
  }

  /** Lines that handlers wrote into `notes` of the state directory. */
  async noted(): Promise<readonly string[]> {
    const text = await readFile(this.manager.path(`${STATE}/notes`), 'utf8').catch(() => '')
    return text.split('\n').filter((line) => line !== '')
  }

  /** Waits for something of it, for as long as a slow machine may need. */
  async until(fact: () => boolean | Promise<boolean>, what: string): Promise<void> {
    let log = ''
    await until(
      async () => (await fact()) || ((log = await this.log()), false),
      () => `${what}:\n${log}\n${this.manager.said}`,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.manager[Symbol.asyncDispose]()
    await this.emulator.close()
  }

  async #write({ config = '', files = {}, handler, service = [] }: Omit<ServiceFiles, 'tree'>): Promise<void> {
    const shipped = await readFile(new URL('../../systemd/clink-worker.service', import.meta.url), 'utf8')
    await this.manager.must('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/opt')
    await this.manager.write({
      ...files,
      '/opt/worker/config.yaml': `clink: { url: ${this.emulator.url} }\npoll: { interval: 100ms }\nserver: { enabled: false }\n${config}`,
      '/opt/worker/handlers/work.ts': handler,
      '/etc/systemd/system/clink-worker.service': shipped
        .replace('/usr/bin/clink-worker', `${INSIDE.node} ${INSIDE.cli}`)
        .replaceAll('/etc/clink-worker', '/opt/worker'),
      '/etc/systemd/system/clink-worker.service.d/test.conf': `[Service]\n${service.join('\n')}\n`,
    })
    await this.manager.write({ '/opt/worker/clink-api-key': `${this.emulator.key}\n` }, 0o600)
    await this.systemctl('daemon-reload')
  }
}
