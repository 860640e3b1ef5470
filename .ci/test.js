// `npm test`: every check and every test. The last line is `N passed, N failed`, counted from the test runner's own report,
// with each check outside it counted as one.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = new URL('..', import.meta.url)
const work = mkdtempSync(join(tmpdir(), 'clink-worker-test-'))
const report = join(work, 'report.json')

const checks = [
  ['lock file', 'node', ['.ci/lockfile.js', '--check']],
  ['bill of materials', 'node', ['.ci/sbom.js', '--check']],
  ['types', 'tsc', ['-p', 'tsconfig.json']],
  ['lint', 'oxlint', ['--type-aware', '--deny-warnings']],
  ['format', 'prettier', ['--check', '--log-level', 'warn', '.']],
  ['unused', 'knip', []],
  ['package', 'publint', ['--strict', '--pack', 'false']],
  ['package types', 'attw', ['--profile', 'esm-only', '--format', 'ascii', tarball()]],
]

// Packed without its scripts: they would build dist/ anew under the feet of whoever uses it.
function tarball() {
  const packed = spawnSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', work], {
    cwd: root,
    encoding: 'utf8',
  })
  return join(work, packed.stdout.trim())
}

function check(command, args) {
  const { promise, resolve } = Promise.withResolvers()
  const checking = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = []
  for (const stream of [checking.stdout, checking.stderr]) stream.on('data', (chunk) => output.push(chunk))
  checking.once('error', (error) => resolve({ ended: false, output: `${error.message}\n` }))
  checking.once('close', (code) => resolve({ ended: code === 0, output: Buffer.concat(output) }))
  return promise
}

const run = (command, args) => spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status === 0

let passed = 0
let failed = 0
let skipped = 0
// All at once: most of them use one processor. What each has to say is printed in order.
const checked = checks.map(([, command, args]) => check(command, args))
for (const [index, [name, command, args]] of checks.entries()) {
  console.log(`\n== ${name}: ${command} ${args.join(' ')}`)
  const { ended, output } = await checked[index]
  process.stdout.write(output)
  if (ended) passed += 1
  else failed += 1
}

console.log('\n== tests')
const reporters = [
  '--reporter=default',
  '--reporter=./.ci/skipped.js',
  '--reporter=json',
  `--outputFile.json=${report}`,
]
const ended = run('vitest', ['run', ...reporters, ...process.argv.slice(2)])
let counted = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 }
try {
  counted = JSON.parse(readFileSync(report, 'utf8'))
} catch {
  console.error('the test runner left no report')
}
passed += counted.numPassedTests
failed += counted.numFailedTests
skipped += counted.numPendingTests + (counted.numTodoTests ?? 0)
// A file that does not load, an error outside a test: the runner fails without a failed test.
if (!ended && counted.numFailedTests === 0) failed += 1
if (counted.numPassedTests === 0) failed += 1
rmSync(work, { recursive: true, force: true })

console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed === 0 ? 0 : 1
