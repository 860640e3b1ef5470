/** Whether any of the texts fits any of the patterns, in which `*` stands for any characters and `?` for one. */
export function globs(
  patterns: string | readonly string[],
): (...texts: readonly (string | null | undefined)[]) => boolean {
  const list = typeof patterns === 'string' ? [patterns] : patterns
  const expressions = list.map((pattern) => {
    const source = pattern.split(/([*?])/).map((part) => {
      if (part === '*') return '.*'
      return part === '?' ? '.' : part.replaceAll(/[$()*+.?[\\\]^{|}/-]/g, String.raw`\$&`)
    })
    return new RegExp(`^${source.join('')}$`, 'su')
  })
  return (...texts) =>
    texts.some((text) => typeof text === 'string' && expressions.some((expression) => expression.test(text)))
}
