import { openState } from '../../src/journal/state.ts'

// A process that owns a state directory. It says what it did, one line each, and stays until it is killed or its input ends.

const [directory = '', ...written] = process.argv.slice(2)

try {
  const state = openState({ directory, sync: 'normal', onHealth: (problem) => console.log(problem ?? 'healthy') })
  for (const name of written) await state.ledger.process.note({ [name]: 'written' })
  process.stdin.on('end', () => state.close()).resume()
  console.log('holding')
} catch (error) {
  console.log(error instanceof Error && 'code' in error ? `${String(error.code)} ${error.message}` : error)
}
