import { permissionNames } from '../permissions.ts'
import type { Seed } from './seed.ts'

/** Two groups, two people and a robot in both, two agents in the first; the worker's key comes first. */
export const defaultSeed: Seed = {
  users: [
    { name: 'alice', id: 'user_alice', email: 'alice@example.test' },
    { name: 'bob', id: 'user_bob', email: 'bob@example.test' },
    { name: 'robot', id: 'user_robot', email: 'robot@example.test' },
  ],
  agents: [
    { name: 'worker', id: 'ap_worker', group: 'ops' },
    { name: 'helper', id: 'ap_helper', group: 'ops' },
  ],
  groups: [
    {
      slug: 'ops',
      id: '6f1d3c1e-52a4-4b0e-9d3b-0a7b3f6c1001',
      name: 'Operations',
      description: 'Where the work is',
      owner: 'alice',
      members: ['bob', 'robot'],
    },
    {
      slug: 'support',
      id: '6f1d3c1e-52a4-4b0e-9d3b-0a7b3f6c1002',
      name: 'Support',
      description: 'Questions and answers',
      owner: 'alice',
      members: ['robot'],
    },
  ],
  keys: [
    { name: 'worker', owner: 'worker' },
    { name: 'helper', owner: 'helper' },
    { name: 'alice', owner: 'alice' },
    { name: 'bob', owner: 'bob' },
    { name: 'robot', owner: 'robot' },
    { name: 'suspended', owner: 'worker', suspended: true },
    { name: 'readonly', owner: 'worker', permissions: ['clinks:read'] },
    { name: 'feedback', owner: 'worker', permissions: [...permissionNames] },
  ],
}
