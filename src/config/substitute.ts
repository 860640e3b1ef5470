export type Substituted =
  /** `variables`: whose values are in it. */
  | { readonly text: string; readonly variables: readonly string[] }
  /** What is wrong, reading on from the value. */
  | { readonly problem: string }

const REFERENCE = /\$\$|\$\{([^}]*)\}|\$\{/g
const NAME_AND_DEFAULT = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s

/** `${VAR}`, `${VAR:-default}` (also for an empty or blank variable) and `$$`, which stands for `$`. All else stays as it is. */
export function substitute(text: string, env: NodeJS.ProcessEnv): Substituted {
  const problems: string[] = []
  const variables: string[] = []
  const result = text.replace(REFERENCE, (whole, inner: string | undefined) => {
    if (whole === '$$') return '$'
    const [, name, fallback] = NAME_AND_DEFAULT.exec(inner ?? '') ?? []
    if (name === undefined) {
      problems.push('is not a reference to a variable; write ${NAME} or ${NAME:-default}, and $$ for a dollar sign')
      return ''
    }
    const value = env[name]
    if (value !== undefined && (!isBlank(value) || fallback === undefined)) {
      variables.push(name)
      return value
    }
    if (fallback === undefined) problems.push(`needs the environment variable ${name}, which is not set`)
    return fallback ?? ''
  })
  return problems.length > 0 ? { problem: problems.join('; ') } : { text: result, variables }
}

export function isBlank(value: string | undefined): boolean {
  return value === undefined || value.trim() === ''
}
