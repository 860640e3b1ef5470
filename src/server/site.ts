import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { OWN_CODE } from '../base/installed.ts'
import { jsonAnswer, type Answer } from './answer.ts'

const DIRECTORY = new URL('dashboard/', OWN_CODE)
const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
}

/** The files of the dashboard. They say nothing about the worker: whoever may not ask for that sees a page that asks for the token. */
export class Site {
  /** The names of the files by their paths: nothing is made of a path that somebody sends. */
  readonly #names: ReadonlyMap<string, string>

  constructor() {
    const names = readdirSync(DIRECTORY).filter((name) => typeOf(name) !== undefined)
    this.#names = new Map([['/', 'index.html'], ...names.map((name) => [`/dashboard/${name}`, name] as const)])
  }

  has(path: string): boolean {
    return this.#names.has(path)
  }

  /** @param isKnown whether the caller may ask about the worker. */
  async page(path: string, isKnown: boolean): Promise<Answer> {
    const name = this.#names.get(path) ?? ''
    const text = await readFile(new URL(name, DIRECTORY), 'utf8').catch(() => undefined)
    if (text === undefined) return jsonAnswer(500, { error: 'the files of the dashboard are not where they were' })
    const status = path === '/' && !isKnown ? 401 : 200
    return { status, headers: { ...HEADERS, 'content-type': typeOf(name) ?? '' }, text }
  }
}

function typeOf(name: string): string | undefined {
  return TYPES[name.slice(name.lastIndexOf('.') + 1)]
}
