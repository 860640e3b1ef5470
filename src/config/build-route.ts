import { basename, extname, resolve } from 'node:path'
import type { ExecConfig, HttpConfig, MatchRule, RouteConfig, Place } from './config.ts'
import { dotted, type Path } from './issue.ts'
import type { RawConfig } from './raw.ts'
import type { ParsedConfig } from './schema.ts'

type ParsedRoute = ParsedConfig['routes'][number]

/** A route of the configuration, with the paths that it names from where they were written. */
export function buildRoute(parsed: ParsedRoute, index: number, raw: RawConfig): RouteConfig {
  const { exec: program, http: application, match, name, use: file, with: values = {}, ...others } = parsed
  const at: Path = ['routes', index]
  const way = program === undefined ? (application === undefined ? 'use' : 'http') : 'exec'
  const rest = { ...others, place: writtenAt([...at, way], raw), with: values, match: match && matchRule(match) }
  if (program !== undefined) {
    const exec = buildExec(program, [...at, 'exec'], raw)
    const own = 'passKey' in program ? program.passKey : undefined
    return { ...rest, name: name ?? nameOf(exec.command), exec, passKey: others.passKey ?? own }
  }
  if (application !== undefined) {
    const http = buildHttp(application, [...at, 'http'], raw)
    const { host, pathname } = new URL(http.url)
    const own = typeof application === 'string' ? undefined : application.timeout
    return { ...rest, name: name ?? (host + pathname).replace(/\/$/, ''), http, timeout: others.timeout ?? own }
  }
  const use = resolve(raw.placeOf([...at, 'use']).base, file ?? '')
  return { ...rest, name: name ?? basename(use, extname(use)), use }
}

/** A program with a slash is a path, from where it was written; without one it is looked for on PATH. */
function buildExec(given: NonNullable<ParsedRoute['exec']>, at: Path, raw: RawConfig): ExecConfig {
  const isList = Array.isArray(given)
  const { command, cwd = '.', env = {}, maxOutput = 1_048_576, output = 'text' } = isList ? { command: given } : given
  const [written = '', ...args] = command
  const path = [...at, ...(isList ? [] : ['command']), 0]
  const { base } = raw.placeOf(path)
  return {
    command: [written.includes('/') ? resolve(base, written) : written, ...args],
    written,
    cwd: resolve(raw.placeOf([...at, 'cwd']).base, cwd),
    env,
    output,
    maxOutput,
    place: writtenAt(path, raw),
  }
}

function buildHttp(given: NonNullable<ParsedRoute['http']>, at: Path, raw: RawConfig): HttpConfig {
  const {
    connectTimeout = 5_000,
    maxResponse = 1_048_576,
    secretFile,
    url,
  } = typeof given === 'string' ? { url: given } : given
  const path = [...at, 'secretFile']
  const secret =
    secretFile === undefined
      ? undefined
      : { file: resolve(raw.placeOf(path).base, secretFile), written: secretFile, place: writtenAt(path, raw) }
  return { url, secret, connectTimeout, maxResponse }
}

function writtenAt(path: Path, raw: RawConfig): Place {
  const { line, where } = raw.placeOf(path)
  return { where, line, key: dotted(path) }
}

/** As handlers are named after their files: what runs a script gives it no name. */
function nameOf([program = '', script]: readonly string[]): string {
  const isInterpreted = script !== undefined && !program.includes('/') && /\.\w+$/.test(script)
  const file = isInterpreted ? script : program
  return basename(file, extname(file))
}

/** The schema has seen to it that one of the two is there. */
function matchRule({ content, ...rest }: NonNullable<ParsedRoute['match']>): MatchRule {
  const { prefix, regex } = content ?? {}
  if (prefix !== undefined) return { ...rest, content: { prefix } }
  return regex === undefined ? rest : { ...rest, content: { regex } }
}
