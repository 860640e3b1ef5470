import { execFileSync } from 'node:child_process'

/** Why there is no Python here; empty: there is. */
export const pythonProblem = ((): string => {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' })
    return ''
  } catch (error) {
    return String(error)
  }
})()
