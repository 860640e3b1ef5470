import { describe, expect, it } from 'vitest'
import type { Emulator } from '../../src/emulator/emulator.ts'
import { ask, OPS, running, SUPPORT, type Answered, type Asking } from '../support/running-emulator.ts'

const create = (emulator: Emulator, checkpoints: readonly unknown[], more: object = {}): Promise<Answered> =>
  ask(emulator, `POST /groups/${OPS}/milestones`, { title: 'Release', checkpoints, ...more })

const complete = (emulator: Emulator, id: string, order: number, asking?: Asking): Promise<Answered> =>
  ask(emulator, `POST /milestones/${id}/checkpoints/${order}/complete`, {}, asking)

const titles = (answer: Answered): string[] => answer.data.checkpoints.map(({ title }: { title: string }) => title)
const depends = (answer: Answered): unknown[] =>
  answer.data.checkpoints.map(({ depends_on }: { depends_on?: unknown }) => depends_on)

describe('a milestone', () => {
  it('is made with its checkpoints, in the group’s default project', async () => {
    const emulator = await running()
    const { status, data } = await create(emulator, [
      { title: 'Build', description: 'all of it', git_branch_url: 'https://example.test/tree/x' },
      { title: 'Ship', depends_on: [1] },
    ])
    expect(status).toBe(200)
    expect(data).toMatchObject({
      title: 'Release',
      description: '',
      status: 'active',
      created_by: 'ap_worker',
      total_checkpoints: 2,
      completed_checkpoints: 0,
      progress: '0/2 (0%)',
      checkpoints: [
        {
          order: 1,
          title: 'Build',
          description: 'all of it',
          status: 'pending',
          git_branch_url: 'https://example.test/tree/x',
        },
        { order: 2, title: 'Ship', description: '', status: 'pending', depends_on: [1] },
      ],
    })
    expect(data.milestone_id).toMatch(/^ms_/)
    expect(data.checkpoints[0]).not.toHaveProperty('depends_on')
    const { data: project } = await ask(emulator, `GET /projects/${data.project_id}`)
    expect(project).toMatchObject({ is_default: true, group_id: OPS, title: 'General' })
    expect((await ask(emulator, `GET /milestones/${data.milestone_id}`)).data).toEqual(data)
  })

  it.each([
    ['no checkpoints', []],
    ['51 of them', Array.from({ length: 51 }, () => ({ title: 'x' }))],
    ['one that is no object', ['x']],
    ['one without a title', [{ description: 'x' }]],
    ['an empty title', [{ title: '' }]],
    ['a dependency on itself', [{ title: 'a', depends_on: [1] }]],
    ['a dependency on a later one', [{ title: 'a', depends_on: [2] }, { title: 'b' }]],
    ['a dependency on nothing', [{ title: 'a' }, { title: 'b', depends_on: ['ms_none:1'] }]],
    ['a dependency that is neither', [{ title: 'a' }, { title: 'b', depends_on: ['one'] }]],
    ['a git address that is none', [{ title: 'a', git_pr_url: 'pull/1' }]],
    ['consensus and then something wrong', [{ title: 'a', requires_consensus: true }, { title: 5 }]],
  ])('is refused whole with %s', async (_what, checkpoints) => {
    const emulator = await running()
    const answer = await create(emulator, checkpoints)
    expect(answer.status).toBe(400)
    expect((await ask(emulator, `GET /groups/${OPS}/milestones`)).data.milestones).toEqual([])
    expect((await ask(emulator, `GET /groups/${OPS}/proposals`)).data.proposals).toEqual([])
  })

  it('closes with its last checkpoint and can be reopened', async () => {
    const emulator = await running()
    const { milestone_id: id } = (await create(emulator, [{ title: 'a' }, { title: 'b' }])).data
    expect((await ask(emulator, `POST /milestones/${id}/reopen`, {})).status).toBe(409)
    expect((await complete(emulator, id, 1)).data).toMatchObject({ status: 'active', progress: '1/2 (50%)' })
    const closed = await complete(emulator, id, 2)
    expect(closed.data).toMatchObject({ status: 'closed', progress: '2/2 (100%)', closed_at: expect.any(String) })
    expect(closed.data.checkpoints[1]).toMatchObject({ completed_by: 'ap_worker', completed_at: expect.any(String) })
    expect((await ask(emulator, `PATCH /milestones/${id}`, { title: 'x' })).status).toBe(409)
    expect((await ask(emulator, `POST /milestones/${id}/checkpoints`, { title: 'x' })).status).toBe(409)
    const open = await ask(emulator, `POST /milestones/${id}/reopen`, {})
    expect(open.data.status).toBe('active')
    expect(open.data).not.toHaveProperty('closed_at')
    expect((await ask(emulator, `PATCH /milestones/${id}`, { title: 'x', description: 'y' })).data).toMatchObject({
      title: 'x',
      description: 'y',
      updated_at: expect.any(String),
    })
  })

  it('completes a checkpoint once, however often it is asked to', async () => {
    const emulator = await running()
    const { milestone_id: id } = (await create(emulator, [{ title: 'a' }])).data
    const first = await complete(emulator, id, 1)
    const again = await complete(emulator, id, 1)
    expect(again.status).toBe(200)
    expect(again.data).toEqual(first.data)
  })

  it('waits for what a checkpoint depends on, here and elsewhere', async () => {
    const emulator = await running()
    const { milestone_id: other } = (await create(emulator, [{ title: 'x' }, { title: 'y' }])).data
    const made = await create(emulator, [{ title: 'a' }, { title: 'b', depends_on: [1, `${other}:2`] }])
    const id = made.data.milestone_id
    expect(made.data.checkpoints[1].depends_on).toEqual([1, `${other}:2`])
    await complete(emulator, id, 1)
    expect((await complete(emulator, id, 2)).status).toBe(409)
    await complete(emulator, other, 2)
    expect((await complete(emulator, id, 2)).status).toBe(200)
  })

  it('keeps dependencies right while orders shift', async () => {
    const emulator = await running()
    const { milestone_id: id } = (await create(emulator, [{ title: 'a' }, { title: 'b', depends_on: [1] }])).data
    const { milestone_id: other } = (await create(emulator, [{ title: 'x', depends_on: [`${id}:2`] }])).data
    const added = await ask(emulator, `POST /milestones/${id}/checkpoints`, { title: 'first', position: 1 })
    expect(titles(added)).toEqual(['first', 'a', 'b'])
    expect(depends(added)).toEqual([undefined, undefined, [2]])
    expect(depends(await ask(emulator, `GET /milestones/${other}`))).toEqual([[`${id}:3`]])
    const end = await ask(emulator, `POST /milestones/${id}/checkpoints`, { title: 'last', depends_on: [3] })
    expect(titles(end)).toEqual(['first', 'a', 'b', 'last'])
    const less = await ask(emulator, `DELETE /milestones/${id}/checkpoints/1`)
    expect(titles(less)).toEqual(['a', 'b', 'last'])
    expect(depends(less)).toEqual([undefined, [1], [2]])
  })

  it('deletes neither what is completed nor what others wait for', async () => {
    const emulator = await running()
    const { milestone_id: id } = (await create(emulator, [{ title: 'a' }, { title: 'b', depends_on: [1] }])).data
    expect((await ask(emulator, `DELETE /milestones/${id}/checkpoints/1`)).status).toBe(409)
    await complete(emulator, id, 1)
    expect((await ask(emulator, `DELETE /milestones/${id}/checkpoints/1`)).status).toBe(409)
    expect((await ask(emulator, `DELETE /milestones/${id}/checkpoints/2`)).status).toBe(200)
    expect((await ask(emulator, `DELETE /milestones/${id}/checkpoints/2`)).status).toBe(404)
  })

  it('changes a checkpoint, and refuses a circle', async () => {
    const emulator = await running()
    const { milestone_id: one } = (await create(emulator, [{ title: 'a' }])).data
    const { milestone_id: two } = (await create(emulator, [{ title: 'b', depends_on: [`${one}:1`] }])).data
    const circle = await ask(emulator, `PATCH /milestones/${one}/checkpoints/1`, { depends_on: [`${two}:1`] })
    expect([circle.status, circle.json.error]).toEqual([400, 'dependency_cycle'])
    expect((await ask(emulator, `PATCH /milestones/${one}/checkpoints/1`, { depends_on: [`${one}:1`] })).status).toBe(
      400,
    )
    const changed = await ask(emulator, `PATCH /milestones/${two}/checkpoints/1`, {
      title: 'c',
      description: 'd',
      depends_on: [],
      git_commit_url: 'https://example.test/commit/1',
    })
    expect(changed.data.checkpoints[0]).toEqual({
      order: 1,
      title: 'c',
      description: 'd',
      status: 'pending',
      git_commit_url: 'https://example.test/commit/1',
    })
  })

  it.each([0, 4, 1.5])('adds nothing at position %d', async (position) => {
    const emulator = await running()
    const { milestone_id: id } = (await create(emulator, [{ title: 'a' }, { title: 'b' }])).data
    expect((await ask(emulator, `POST /milestones/${id}/checkpoints`, { title: 'x', position })).status).toBe(400)
  })

  it('waits for consensus where a checkpoint requires it', async () => {
    const emulator = await running()
    const { data } = await create(emulator, [{ title: 'a' }, { title: 'b', requires_consensus: true }])
    const { requires_proposal_id: proposal, proposal_status } = data.checkpoints[1]
    expect(proposal_status).toBe('open')
    expect((await ask(emulator, `GET /proposals/${proposal}`)).data).toMatchObject({
      linked_milestone_id: data.milestone_id,
      linked_checkpoint_order: 2,
      voting_type: 'yes_no',
    })
    expect((await complete(emulator, data.milestone_id, 2)).status).toBe(409)
    await ask(emulator, `POST /proposals/${proposal}/vote`, { vote: 'yes' })
    await ask(emulator, `POST /proposals/${proposal}/finalize`, {})
    expect((await complete(emulator, data.milestone_id, 2)).data.checkpoints[1]).toMatchObject({
      proposal_status: 'approved',
      status: 'completed',
    })
  })

  it('stays blocked when the group rejects it', async () => {
    const emulator = await running()
    const { data } = await create(emulator, [{ title: 'a', requires_consensus: true }])
    const proposal = data.checkpoints[0].requires_proposal_id
    await ask(emulator, `POST /proposals/${proposal}/vote`, { vote: 'no' })
    await ask(emulator, `POST /proposals/${proposal}/finalize`, {})
    const { data: now } = await ask(emulator, `GET /milestones/${data.milestone_id}`)
    expect(now.checkpoints[0].proposal_status).toBe('rejected')
    expect((await complete(emulator, data.milestone_id, 1)).status).toBe(409)
  })

  it('is listed without its checkpoints, by status, newest first', async () => {
    const emulator = await running()
    const { milestone_id: one } = (await create(emulator, [{ title: 'a' }])).data
    const { milestone_id: two } = (await create(emulator, [{ title: 'a' }])).data
    await complete(emulator, one, 1)
    const ids = async (query: string): Promise<string[]> => {
      const { data } = await ask(emulator, `GET /groups/${OPS}/milestones${query}`)
      return data.milestones.map(({ milestone_id }: { milestone_id: string }) => milestone_id)
    }
    expect(await ids('')).toEqual([two, one])
    expect(await ids('?status=active')).toEqual([two])
    expect(await ids('?status=closed')).toEqual([one])
    expect(await ids('?limit=1')).toEqual([two])
    const { data } = await ask(emulator, `GET /groups/${OPS}/milestones`)
    expect(data.milestones[0]).not.toHaveProperty('checkpoints')
  })

  it('answers 404 for what does not exist and 403 for other groups', async () => {
    const emulator = await running()
    expect((await ask(emulator, 'GET /milestones/ms_none')).status).toBe(404)
    const { data } = await ask(
      emulator,
      `POST /groups/${SUPPORT}/milestones`,
      { title: 'x', checkpoints: [{ title: 'a' }] },
      { as: 'alice' },
    )
    expect((await ask(emulator, `GET /milestones/${data.milestone_id}`)).status).toBe(403)
    expect((await complete(emulator, data.milestone_id, 9, { as: 'alice' })).status).toBe(404)
  })
})

describe('a project', () => {
  const project = (emulator: Emulator, body: object): Promise<Answered> =>
    ask(emulator, `POST /groups/${OPS}/projects`, body)

  it('gets a slug from its title, and another when that is taken', async () => {
    const emulator = await running()
    const one = await project(emulator, { title: 'Über  Größe & Co.', description: 'd', color: '#112233' })
    expect(one.data).toMatchObject({
      slug: 'uber-gro-e-co',
      description: 'd',
      color: '#112233',
      status: 'active',
      is_default: false,
      created_by: 'ap_worker',
    })
    expect((await project(emulator, { title: 'Über Größe, Co' })).data.slug).toBe('uber-gro-e-co-2')
    expect((await project(emulator, { title: '仕事' })).data.slug).toBe('project')
  })

  it('refuses a slug that is taken, and what is no slug or colour', async () => {
    const emulator = await running()
    expect((await project(emulator, { title: 'x', slug: 'general' })).status).toBe(409)
    expect((await project(emulator, { title: 'x', slug: 'Not A Slug' })).status).toBe(400)
    expect((await project(emulator, { title: 'x', color: 'blue' })).status).toBe(400)
    expect((await project(emulator, { title: '' })).status).toBe(400)
    const elsewhere = await ask(
      emulator,
      `POST /groups/${SUPPORT}/projects`,
      { title: 'x', slug: 'x' },
      { as: 'alice' },
    )
    expect(elsewhere.status).toBe(200)
    expect((await project(emulator, { title: 'x', slug: 'x' })).status).toBe(200)
  })

  it('is changed, its own slug included', async () => {
    const emulator = await running()
    const { project_id: id } = (await project(emulator, { title: 'x' })).data
    expect(
      (await ask(emulator, `PATCH /projects/${id}`, { slug: 'x', title: 'y', color: '#abcdef' })).data,
    ).toMatchObject({
      slug: 'x',
      title: 'y',
      color: '#abcdef',
      updated_at: expect.any(String),
    })
    expect((await ask(emulator, `PATCH /projects/${id}`, { slug: 'general' })).status).toBe(409)
    expect((await ask(emulator, `PATCH /projects/${id}`, { title: '' })).status).toBe(400)
  })

  it('is completed, archived and reopened, each only where it makes a difference', async () => {
    const emulator = await running()
    const { project_id: id } = (await project(emulator, { title: 'x' })).data
    const act = async (what: string): Promise<unknown> => {
      const answer = await ask(emulator, `POST /projects/${id}/${what}`, {})
      return answer.data?.status ?? answer.status
    }
    expect(await act('reopen')).toBe(409)
    expect(await act('complete')).toBe('completed')
    expect(await act('complete')).toBe(409)
    expect(await act('archive')).toBe('archived')
    expect(await act('archive')).toBe(409)
    expect((await ask(emulator, `GET /projects/${id}`)).data).toMatchObject({
      completed_by: 'ap_worker',
      completed_at: expect.any(String),
      archived_by: 'ap_worker',
      archived_at: expect.any(String),
    })
    expect(await act('reopen')).toBe('active')
    const { data } = await ask(emulator, `GET /projects/${id}`)
    expect(data).toMatchObject({ reopened_by: 'ap_worker', reopened_at: expect.any(String) })
    expect(data).not.toHaveProperty('archived_at')
  })

  it('is not archived when it is the default one', async () => {
    const emulator = await running()
    const [general] = (await ask(emulator, `GET /groups/${OPS}/projects`)).data.projects
    expect(general).toMatchObject({ slug: 'general', is_default: true })
    expect((await ask(emulator, `POST /projects/${general.project_id}/archive`, {})).status).toBe(409)
  })

  it('has milestones of its own', async () => {
    const emulator = await running()
    const { project_id } = (await project(emulator, { title: 'x' })).data
    const { data } = await create(emulator, [{ title: 'a' }], { project_id })
    await create(emulator, [{ title: 'a' }])
    const listed = await ask(emulator, `GET /projects/${project_id}/milestones?status=active&limit=5`)
    expect(listed.data.milestones.map(({ milestone_id }: { milestone_id: string }) => milestone_id)).toEqual([
      data.milestone_id,
    ])
    expect((await create(emulator, [{ title: 'a' }], { project_id: 'none' })).status).toBe(400)
    await ask(emulator, `POST /projects/${project_id}/complete`, {})
    expect((await create(emulator, [{ title: 'a' }], { project_id })).status).toBe(409)
  })

  it('is listed by status', async () => {
    const emulator = await running()
    const { project_id: id } = (await project(emulator, { title: 'x' })).data
    await ask(emulator, `POST /projects/${id}/archive`, {})
    const count = async (query: string): Promise<number> =>
      (await ask(emulator, `GET /groups/${OPS}/projects${query}`)).data.projects.length
    expect([
      await count(''),
      await count('?status=archived'),
      await count('?status=active'),
      await count('?limit=1'),
    ]).toEqual([2, 1, 1, 1])
    expect((await ask(emulator, `GET /groups/${OPS}/projects?status=done`)).status).toBe(400)
    expect((await ask(emulator, 'GET /projects/none')).status).toBe(404)
  })
})
