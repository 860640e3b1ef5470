import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { packageVersion } from '../../clink/version.ts'

/** What a unit says of one installation. */
export interface Installation {
  readonly node: string
  readonly cli: string
  /** The configuration file, in which systemd replaces specifiers as `%i`. The key lies beside it. */
  readonly config: string
  /** Whether the worker itself can speak to the manager. Otherwise a program speaks for it, and every program has to be heard. */
  readonly speaks: boolean
}

/** What there is where a unit is to be written. */
export type Found = 'nothing' | 'ours' | 'changed' | 'foreign'

/** A shipped unit with the paths of an installation, signed so that changes to it are seen. */
export function unitFor(shipped: string, { cli, config, node, speaks }: Installation): string {
  const settings: Readonly<Record<string, string>> = {
    ExecStart: [literal(node), literal(cli), 'run', '--config', config].map(word).join(' '),
    LoadCredential: `clink-api-key:${join(dirname(config), 'clink-api-key')}`,
    ...(speaks ? {} : { NotifyAccess: 'all' }),
  }
  const body = shipped
    .slice(shipped.indexOf('[Unit]'))
    .split('\n')
    .map((line) => {
      const name = line.split('=', 1)[0] ?? ''
      return settings[name] === undefined ? line : `${name}=${settings[name]}`
    })
    .join('\n')
  return `# Written by "clink-worker service install" ${packageVersion()}, which writes it anew: what differs belongs into a drop-in (systemctl edit).\n${SIGN}${digest(body)}\n\n${body}`
}

/** @param text undefined: there is no such file. */
export function judge(text: string | undefined): Found {
  if (text === undefined) return 'nothing'
  const [, sign] = text.split('\n', 2)
  if (sign === undefined || !sign.startsWith(SIGN)) return 'foreign'
  return sign === `${SIGN}${digest(text.slice(text.indexOf('[Unit]')))}` ? 'ours' : 'changed'
}

const SIGN = '# sha256 of what follows: '

function digest(body: string): string {
  return createHash('sha256').update(body).digest('hex')
}

/** A text in which systemd replaces nothing. */
export function literal(text: string): string {
  return text.replaceAll('%', '%%')
}

/** One word of a command line, as systemd reads it. */
function word(text: string): string {
  const plain = text.replaceAll('$', () => '$$')
  return /^[\w./@:+,%$-]+$/.test(plain) ? plain : `"${plain.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
