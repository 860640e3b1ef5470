// Says which packages the process loads, and whether Node's own undici is among them.
import { registerHooks } from 'node:module'

// Also of a specifier that names one of its files.
const PACKAGE = /^(?:@[^/:]+\/)?[^@./#:][^/:]*(?=\/|$)/
registerHooks({
  resolve(specifier, context, next) {
    const [name] = PACKAGE.exec(specifier) ?? []
    if (name !== undefined) process.stderr.write(`package ${name}\n`)
    return next(specifier, context)
  },
})

process.on('exit', () => {
  if (process.moduleLoadList.includes('NativeModule internal/deps/undici/undici'))
    process.stderr.write('package node\n')
})
