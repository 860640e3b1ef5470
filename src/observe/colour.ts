const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

export type Paint = keyof typeof CODES

/** Colours for a terminal, or the text as it is. */
export function painter(color: boolean): (paint: Paint, text: string) => string {
  return (paint, text) => (color ? `\u001B[${CODES[paint]}m${text}\u001B[0m` : text)
}

/** Whether to colour: on a terminal, unless `NO_COLOR` is set to anything, or the terminal cannot. */
export function wantsColor(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  return isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
}
