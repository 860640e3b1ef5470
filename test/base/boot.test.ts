import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { systemBoot } from '../../src/base/boot.ts'

const KERNEL = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()

it('a boot is called what the unit says, in the words of the kernel', () => {
  expect(systemBoot({ CLINK_WORKER_BOOT_ID: KERNEL.replaceAll('-', '') }).id).toBe(KERNEL)
  const other = '01234567-89ab-cdef-0123-456789abcdef'
  expect(systemBoot({ CLINK_WORKER_BOOT_ID: other }).id).toBe(other)
})

it('what is no name of a boot counts as none', () => {
  for (const told of ['', '%b', 'yes', `${KERNEL} `, '0'.repeat(33)]) {
    expect(systemBoot({ CLINK_WORKER_BOOT_ID: told }).id).toBe(KERNEL)
  }
  expect(systemBoot({}).id).toBe(KERNEL)
})
