import { isUtf8 } from 'node:buffer'
import { access } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { asError, systemCode } from '../base/coded-error.ts'
import { chooseProxy, type ForwardProxy, type ProxyChoice } from '../base/proxy.ts'
import { isIrregular, readRegularFile } from '../base/regular-file.ts'
import { Secret } from '../base/secret.ts'
import { buildRoute } from './build-route.ts'
import { checkConfig } from './check.ts'
import type { Config } from './config.ts'
import { applyEnvironment, emptyAddress, readText } from './environment.ts'
import { ConfigError, showValue, type ConfigIssue, type Path } from './issue.ts'
import { settlePairs } from './pairs.ts'
import { isSharing } from './relations.ts'
import { hasStoreCredential } from './shared-store.ts'
import { RawConfig } from './raw.ts'
import { configSchema, type ParsedConfig } from './schema.ts'
import { readYaml } from './yaml-file.ts'

export interface LoadOptions {
  /** The file of `--config`; relative to `cwd`. */
  readonly file?: string
  /** Values of flags by dotted key: `{ 'poll.interval': '5s' }`. */
  readonly flags?: Readonly<Record<string, string>>
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  /** By dotted key, in place of the schema's defaults: what `dev` starts from. */
  readonly defaults?: Readonly<Record<string, unknown>>
}

export interface LoadedConfig {
  readonly config: Config
  /** Absolute path; null: there was none. */
  readonly file: string | null
  readonly warnings: readonly ConfigIssue[]
  /** The variables that the file takes the key from. */
  readonly keyVariables: readonly string[]
  /** The proxy for the service, or why there is none. */
  readonly proxy: ProxyChoice
  /** What is found to be wrong with a value later, with where it was written. */
  readonly issue: (path: Path, message: string) => ConfigIssue
}

/** Bytes. What a parser makes of more takes long, and says nothing that helps. */
const LARGEST = 1_048_576

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'is a directory, not a file',
  EACCES: 'this user may not read the file',
}

const SYSTEM_FILE = '/etc/clink-worker/config.yaml'

/**
 * Finds, reads, merges and checks the configuration: flags, then environment, then the file, then the defaults.
 *
 * @throws {ConfigError} with all that is wrong.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const { env } = options
  const { file, issues, raw, read, warnings } = await gather(options)
  const url = configSchema.shape.clink.safeParse(raw.root['clink']).data?.url
  const proxy: ProxyChoice = url === undefined ? { proxy: undefined } : chooseProxy(url, env)
  const hasCredential = await hasStoreCredential(env)
  const complete = checked(raw, [...issues, ...('problem' in proxy ? [proxyIssue(proxy)] : [])], hasCredential)
  const issue = (path: Path, message: string): ConfigIssue => raw.issue(path, message)
  const keyVariables = read?.keyVariables ?? []
  const config = build(complete, raw, proxy.proxy, hasCredential)
  return { config, file, warnings, keyVariables, proxy, issue }
}

/**
 * The state directory, as far as a configuration with mistakes still says where it is: the worker that runs has read another one. Of a file that
 * cannot be read at all, only its place is known.
 */
export async function stateDirectory(options: LoadOptions): Promise<string | undefined> {
  const { raw } = await gather(options, async (file, env) => await readConfigFile(file, env).catch(nothingOf(file)))
  const path = ['state', 'directory']
  const directory = raw.get(path)
  const { data } = configSchema.shape.state.safeParse(directory === undefined ? {} : { directory })
  return data === undefined ? undefined : resolve(raw.placeOf(path).base, data.directory)
}

function nothingOf(file: string): (error: unknown) => ReturnType<typeof readYaml> {
  return (error) => {
    if (!(error instanceof ConfigError)) throw error
    return { raw: new RawConfig({ where: file, base: dirname(file) }), issues: [], keyVariables: [] }
  }
}

/** All sources in one, unchecked. */
async function gather(options: LoadOptions, readConfig = readConfigFile) {
  const { cwd, defaults = {}, env, flags = {} } = options
  const file = await findFile(options)
  const read = file === null ? undefined : await readConfig(file, env)
  const raw = read?.raw ?? new RawConfig({ where: 'defaults', base: cwd })
  const warnings = [...(await misnamed(file, cwd)), ...applyEnvironment(raw, env, cwd)]
  for (const [key, value] of Object.entries(flags)) {
    const path = key.split('.')
    raw.override(path, readText(value, path), { where: 'command line', base: cwd })
  }
  for (const [key, value] of Object.entries(defaults)) {
    const path = key.split('.')
    if (raw.get(path) === undefined) raw.override(path, value, { where: 'defaults', base: cwd })
  }
  const isSaid = ['state', 'state.url', 'state.urlFile'].some((key) => flags[key] !== undefined)
  const issues = [...(read?.issues ?? []), ...(isSaid ? [] : emptyAddress(env)), ...settlePairs(raw)]
  return { file, raw, read, issues, warnings }
}

/**
 * A configuration from a program, in the form of the file, checked as the file is.
 *
 * @param where what messages call it.
 * @throws {ConfigError} with all that is wrong.
 */
export function configOf(sections: Readonly<Record<string, unknown>>, where: string, cwd: string): Config {
  const place = { where, base: cwd }
  const raw = new RawConfig(place)
  for (const [name, value] of Object.entries(sections)) raw.override([name], value, place)
  // A worker by itself keeps the limits of a fleet alone.
  return build(checked(raw, settlePairs(raw), true), raw, undefined, true)
}

function checked(raw: RawConfig, found: readonly ConfigIssue[], isShared: boolean): ParsedConfig {
  const all = withoutEchoes([...found, ...checkConfig(raw, isShared)])
  if (all.length > 0) throw new ConfigError(inOrder(all))
  return configSchema.parse(raw.root)
}

async function findFile({ cwd, env, file }: LoadOptions): Promise<string | null> {
  const named = file ?? (env['CLINK_WORKER_CONFIG'] || undefined)
  if (named !== undefined) return resolve(cwd, named)
  for (const candidate of [resolve(cwd, 'clink-worker.yaml'), SYSTEM_FILE])
    if (await isThere(candidate)) return candidate
  return null
}

/** What looks like the configuration of a directory that has none, and is not read. */
async function misnamed(found: string | null, cwd: string): Promise<readonly ConfigIssue[]> {
  const where = resolve(cwd, 'clink-worker.yml')
  if ((found !== null && found !== SYSTEM_FILE) || !(await isThere(where))) return []
  return [{ where, key: '', message: 'is not read: name it clink-worker.yaml, or give it with --config' }]
}

async function isThere(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
  )
}

async function readConfigFile(file: string, env: NodeJS.ProcessEnv): Promise<ReturnType<typeof readYaml>> {
  let bytes: Buffer
  try {
    bytes = await readRegularFile(file)
  } catch (error) {
    throw new ConfigError([{ where: file, key: '', message: UNREADABLE[systemCode(error)] ?? unreadable(error) }])
  }
  if (bytes.length > LARGEST) {
    const message = `the file is larger than ${LARGEST / 1_024} KiB: this cannot be meant as a configuration`
    throw new ConfigError([{ where: file, key: '', message }])
  }
  return readYaml(textOf(bytes, file), file, env)
}

function unreadable(error: unknown): string {
  return isIrregular(error) ? error.message : `the file cannot be read (${systemCode(error) || asError(error).message})`
}

/** Taken as it comes, other encodings would become values that nobody wrote. */
function textOf(bytes: Buffer, file: string): string {
  if (isUtf8(bytes)) return bytes.toString('utf8').replace(/^\uFEFF/, '')
  const lines = bytes.toString('latin1').split('\n')
  const line = lines.findIndex((text) => !isUtf8(Buffer.from(text, 'latin1'))) + 1
  throw new ConfigError([{ where: file, line, key: '', message: 'is not UTF-8 text; save the file as UTF-8' }])
}

/** Once a line is broken, what is said about the rest of it follows from that. Issues of the parser have no key. */
function withoutEchoes(issues: readonly ConfigIssue[]): readonly ConfigIssue[] {
  const broken = new Map<number, ConfigIssue>()
  for (const issue of issues) {
    if (issue.key === '' && issue.line !== undefined && !broken.has(issue.line)) broken.set(issue.line, issue)
  }
  return issues.filter((issue) => issue.line === undefined || (broken.get(issue.line) ?? issue) === issue)
}

/** As somebody goes through the file: by line; what stands elsewhere comes after it. */
function inOrder(issues: readonly ConfigIssue[]): readonly ConfigIssue[] {
  const position = ({ line = 1e6, column = 0 }: ConfigIssue): number => line * 1e6 + column
  return [...issues].sort((a, b) => position(a) - position(b))
}

function proxyIssue({ problem, value, variable }: Extract<ProxyChoice, { problem: string }>): ConfigIssue {
  return { where: `environment ${variable}`, key: '', value: showValue(value), message: problem }
}

function build(parsed: ParsedConfig, raw: RawConfig, proxy: ForwardProxy | undefined, isShared: boolean): Config {
  const { clink, handlers, server, state } = parsed
  const absolute = (path: string, at: Path): string => resolve(raw.placeOf(at).base, path)
  const orNull = (path: string | null, at: Path): string | null => (path === null ? null : absolute(path, at))
  return deepFreeze({
    ...parsed,
    clink: {
      ...clink,
      key: clink.key === null ? null : new Secret(clink.key),
      keyFile: orNull(clink.keyFile, ['clink', 'keyFile']),
      ...(proxy !== undefined && { proxy }),
    },
    handlers: { ...handlers, directory: absolute(handlers.directory, ['handlers', 'directory']) },
    state: {
      ...state,
      directory: absolute(state.directory, ['state', 'directory']),
      url: state.url === null ? null : new Secret(state.url),
      urlFile: orNull(state.urlFile, ['state', 'urlFile']),
      isShared: isShared || isSharing(state),
    },
    server: { ...server, tokenFile: orNull(server.tokenFile, ['server', 'tokenFile']) },
    routes: parsed.routes.map((route, index) => buildRoute(route, index, raw)),
  })
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}
