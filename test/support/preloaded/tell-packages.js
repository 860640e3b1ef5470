// Says what of packages the process loads, and whether Node's own undici is among it.
import { registerHooks } from 'node:module'

const PACKAGE = /^(?:@[^/:]+\/)?[^@./#:][^/:]*(?=\/|$)/
registerHooks({
  resolve(specifier, context, next) {
    if (PACKAGE.test(specifier)) process.stderr.write(`package ${specifier}\n`)
    return next(specifier, context)
  },
})

process.on('exit', () => {
  if (process.moduleLoadList.includes('NativeModule internal/deps/undici/undici'))
    process.stderr.write('package node\n')
})
