import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { makePool, PROJECT, type PoolApi, startPoolApi } from '../support/pool-api.ts'

const SUBNET = '03e1458a-fe0d-4e2f-bc4a-44f25a045287'

interface Known {
  readonly poolId: string
  readonly memberId: string
  readonly path: string
}

async function makeMember(api: PoolApi): Promise<Known> {
  const { poolId } = await makePool(api.db)
  const body = { member: { address: '127.0.0.1', protocol_port: 1, subnet_id: SUBNET } }
  const answer = await api.call('POST', `/pools/${poolId}/members`, { body })
  const memberId = answer.body.member.id as string
  return { poolId, memberId, path: `/pools/${poolId}/members/${memberId}/transitions` }
}

/** Writes the transitions `from`..`to` of a member, as a prober would: the nth at the nth second. */
async function writeTransitions(
  api: PoolApi,
  { poolId, memberId }: Known,
  from: number,
  to: number,
): Promise<void> {
  await query(
    api.db,
    `insert into member_transition (member_id, pool_id, project_id, at, from_state, to_state, reason, detail, evidence,
                                    generation, dropped, epoch, sequence)
     select $1, $2, $3, timestamptz '2026-11-01T00:00:00Z' + n * interval '1 second', 'ONLINE', 'OFFLINE',
            'CONNECT_REFUSED', 'n ' || n, jsonb_build_object('port', n), 1, 0, 1, n
     from generate_series($4::integer, $5::integer) n order by n`,
    [memberId, poolId, PROJECT, from, to],
  )
}

interface Wire {
  readonly id: string
  readonly detail: string
}
const details = (transitions: readonly Wire[]) => transitions.map((one) => Number(one.detail.slice(2)))

suite('transitions of a member', () => {
  test('newest first, with reason, detail and evidence; a member without history has an empty list', async (t) => {
    const api = await startPoolApi(t)
    const known = await makeMember(api)
    assert.deepEqual((await api.call('GET', known.path)).body, { transitions: [], transitions_links: [] })
    await writeTransitions(api, known, 1, 2)
    const { body } = await api.call('GET', known.path)
    assert.deepEqual(details(body.transitions as Wire[]), [2, 1])
    const { id, ...newest } = (body.transitions as Wire[])[0] ?? { id: '' }
    assert.match(id, /^\d+$/)
    assert.deepEqual(newest, {
      at: '2026-11-01T00:00:02.000Z',
      from: 'ONLINE',
      to: 'OFFLINE',
      reason: 'CONNECT_REFUSED',
      detail: 'n 2',
      evidence: { port: 2 },
      dropped: 0,
    })
    assert.deepEqual(body.transitions_links, [])
  })

  test('pages walk back in time by marker and end; page_reverse walks forward again', async (t) => {
    const api = await startPoolApi(t)
    const known = await makeMember(api)
    await writeTransitions(api, known, 1, 5)
    const pages: number[][] = []
    let url: string | undefined = `${known.path}?limit=2`
    let last = ''
    while (url !== undefined) {
      assert.ok(pages.length < 5, 'the walk ends')
      const { body } = await api.call('GET', url)
      pages.push(details(body.transitions as Wire[]))
      last = (body.transitions as Wire[]).at(-1)?.id ?? last
      url = (body.transitions_links as { rel: string; href: string }[]).find(
        (link) => link.rel === 'next',
      )?.href
    }
    assert.deepEqual(pages, [[5, 4], [3, 2], [1]])
    const back = await api.call('GET', `${known.path}?limit=2&marker=${last}&page_reverse=True`)
    assert.deepEqual(details(back.body.transitions as Wire[]), [3, 2])
  })

  test('a list without a limit ends at the largest page and links on', async (t) => {
    const api = await startPoolApi(t, { pageMax: 3 })
    const known = await makeMember(api)
    await writeTransitions(api, known, 1, 4)
    const { body } = await api.call('GET', known.path)
    assert.deepEqual(details(body.transitions as Wire[]), [4, 3, 2])
    const next = (body.transitions_links as { rel: string; href: string }[])[0]
    assert.equal(next?.rel, 'next')
    assert.deepEqual(details((await api.call('GET', next?.href ?? '')).body.transitions as Wire[]), [1])
  })

  test('history outlives the member and its pool', async (t) => {
    const api = await startPoolApi(t)
    const known = await makeMember(api)
    await writeTransitions(api, known, 1, 1)
    await api.call('DELETE', `/pools/${known.poolId}/members/${known.memberId}`)
    assert.deepEqual(details((await api.call('GET', known.path)).body.transitions as Wire[]), [1])
    await query(api.db, 'delete from pool where id = $1', [known.poolId])
    assert.deepEqual(details((await api.call('GET', known.path)).body.transitions as Wire[]), [1])
    assert.equal((await api.call('GET', known.path, { project: 'project-b' })).status, 404)
  })

  test('of another project there is nothing: no list, no marker', async (t) => {
    const api = await startPoolApi(t)
    const known = await makeMember(api)
    const other = await makeMember(api)
    await writeTransitions(api, known, 1, 3)
    await writeTransitions(api, other, 1, 1)
    const foreign = await api.call('GET', known.path, { project: 'project-b' })
    assert.deepEqual(
      [foreign.status, foreign.body.error_msg],
      [404, `pool ${known.poolId} could not be found.`],
    )
    const id = ((await api.call('GET', known.path)).body.transitions as Wire[])[0]?.id
    for (const marker of [id, '999999', 'x', randomUUID(), '9'.repeat(30), '-1']) {
      const answer = await api.call('GET', `${other.path}?limit=1&marker=${marker}`)
      assert.deepEqual(
        [answer.status, answer.body.error_msg],
        [404, `transition ${marker} could not be found.`],
      )
    }
  })

  test('a member that never was is 404, and a bad limit is 400', async (t) => {
    const api = await startPoolApi(t)
    const { poolId, path } = await makeMember(api)
    const id = randomUUID()
    const unknown = await api.call('GET', `/pools/${poolId}/members/${id}/transitions`)
    assert.deepEqual([unknown.status, unknown.body.error_msg], [404, `member ${id} could not be found.`])
    const refused = await api.call('GET', `${path}?limit=-1`)
    assert.deepEqual(
      [refused.status, refused.body.error_msg],
      [400, `Limit must be an integer 0 or greater and not '-1'`],
    )
  })
})

interface ManyWire extends Wire {
  readonly member_id: string
  readonly pool_id: string
}

suite('transitions of a pool and of a project', () => {
  /** Two pools of a project with two members and one, and a pool of another project, written in turn. */
  async function farm(api: PoolApi) {
    const one = await makeMember(api)
    const body = { member: { address: '127.0.0.1', protocol_port: 2, subnet_id: SUBNET } }
    const second = await api.call('POST', `/pools/${one.poolId}/members`, { body })
    const sibling: Known = { ...one, memberId: second.body.member.id as string }
    const elsewhere = await makeMember(api)
    await writeTransitions(api, one, 1, 1)
    await writeTransitions(api, elsewhere, 2, 2)
    await writeTransitions(api, sibling, 3, 4)
    await query(
      api.db,
      `insert into member_transition (member_id, pool_id, project_id, at, from_state, to_state, reason, detail,
                                      generation, epoch, sequence)
       select $1, $2, 'project-b', now(), 'OFFLINE', 'ONLINE', 'PASSED', 'n 5', 1, 1, 1`,
      [randomUUID(), randomUUID()],
    )
    return { one, sibling, elsewhere }
  }
  const ofPool = ({ poolId }: Known) => `/pools/${poolId}/transitions`

  test('of a pool: those of all its members, newest first, each with whose it is', async (t) => {
    const api = await startPoolApi(t)
    const { one, sibling } = await farm(api)
    const { body } = await api.call('GET', ofPool(one))
    assert.deepEqual(details(body.transitions as Wire[]), [4, 3, 1])
    assert.deepEqual(
      (body.transitions as ManyWire[]).map(({ member_id, pool_id }) => [member_id, pool_id]),
      [sibling, sibling, one].map(({ memberId, poolId }) => [memberId, poolId]),
    )
    assert.deepEqual(body.transitions_links, [])
  })

  test('of a project: those of its pools, and nothing of another project', async (t) => {
    const api = await startPoolApi(t)
    const { elsewhere } = await farm(api)
    const { body } = await api.call('GET', '/transitions')
    assert.deepEqual(details(body.transitions as Wire[]), [4, 3, 2, 1])
    assert.equal((body.transitions as ManyWire[])[2]?.pool_id, elsewhere.poolId)
    const other = await api.call('GET', '/transitions', { project: 'project-b' })
    assert.deepEqual(details(other.body.transitions as Wire[]), [5])
    const none = await api.call('GET', '/transitions', { project: 'project-c' })
    assert.deepEqual(none.body, { transitions: [], transitions_links: [] })
  })

  test('of another project there is nothing: no pool, no marker, no filter that reaches across', async (t) => {
    const api = await startPoolApi(t)
    const { one, elsewhere } = await farm(api)
    const foreign = await api.call('GET', ofPool(one), { project: 'project-b' })
    assert.deepEqual(
      [foreign.status, foreign.body.error_msg],
      [404, `pool ${one.poolId} could not be found.`],
    )
    const mine = (await api.call('GET', ofPool(one))).body.transitions as Wire[]
    const marker = mine[0]?.id ?? ''
    for (const [path, project] of [
      ['/transitions', 'project-b'],
      [ofPool(elsewhere), PROJECT],
    ] as const) {
      const answer = await api.call('GET', `${path}?limit=1&marker=${marker}`, { project })
      assert.deepEqual(
        [answer.status, answer.body.error_msg],
        [404, `transition ${marker} could not be found.`],
        path,
      )
    }
    const across = await api.call('GET', `/transitions?member_id=${one.memberId}`, { project: 'project-b' })
    assert.deepEqual(across.body.transitions, [])
  })

  test('pages walk back in time and end; page_reverse walks forward again', async (t) => {
    const api = await startPoolApi(t, { pageMax: 3 })
    await farm(api)
    const first = await api.call('GET', '/transitions')
    assert.deepEqual(details(first.body.transitions as Wire[]), [4, 3, 2])
    const [next] = first.body.transitions_links as { rel: string; href: string }[]
    assert.equal(next?.rel, 'next')
    const last = await api.call('GET', next.href)
    assert.deepEqual(details(last.body.transitions as Wire[]), [1])
    const marker = (last.body.transitions as Wire[])[0]?.id
    const back = await api.call('GET', `/transitions?limit=2&marker=${marker}&page_reverse=True`)
    assert.deepEqual(details(back.body.transitions as Wire[]), [3, 2])
  })

  test('filters by state, member and pool; an invalid value matches nothing', async (t) => {
    const api = await startPoolApi(t)
    const { one, sibling, elsewhere } = await farm(api)
    await query(api.db, `update member_transition set to_state = 'ONLINE' where detail in ('n 2', 'n 4')`)
    const found = async (path: string) => details((await api.call('GET', path)).body.transitions as Wire[])
    assert.deepEqual(await found('/transitions?to=ONLINE'), [4, 2])
    assert.deepEqual(await found('/transitions?to=ONLINE&to=OFFLINE'), [4, 3, 2, 1])
    assert.deepEqual(await found(`${ofPool(one)}?to=OFFLINE&member_id=${sibling.memberId}`), [3])
    assert.deepEqual(
      await found(`/transitions?pool_id=${elsewhere.poolId}&pool_id=${one.poolId}`),
      [4, 3, 2, 1],
    )
    for (const nothing of ['to=DRAINING', 'member_id=x', 'pool_id=x'])
      assert.deepEqual(await found(`/transitions?${nothing}`), [], nothing)
    assert.deepEqual(await found('/transitions?fields=detail&to=OFFLINE'), [3, 1])
  })

  test('octavia filters as elb does, and refuses what it does not know', async (t) => {
    const api = await startPoolApi(t)
    const { one, elsewhere } = await farm(api)
    await query(api.db, `update member_transition set to_state = 'ONLINE' where detail in ('n 2', 'n 4')`)
    const found = async (path: string) => {
      const { status, body } = await api.octavia(path)
      assert.equal(status, 200, JSON.stringify(body))
      return details(body.transitions as Wire[])
    }
    assert.deepEqual(await found('/transitions?to=ONLINE'), [4, 2])
    assert.deepEqual(await found(`${ofPool(one)}?to=OFFLINE&member_id=${one.memberId}&limit=5`), [1])
    assert.deepEqual(await found(`/transitions?pool_id=${elsewhere.poolId}`), [2])
    assert.deepEqual(await found(`/transitions?member_id=${one.memberId}&fields=detail`), [1])
    for (const refused of ['unknown=x', 'to=ONLINE&to=OFFLINE'])
      assert.equal((await api.octavia(`/transitions?${refused}`)).status, 400, refused)
    assert.equal((await api.octavia(`${ofPool(one)}?pool_id=${one.poolId}`)).status, 400)
  })

  test('a page ends at 8 MiB, and links to the rest', async (t) => {
    const api = await startPoolApi(t)
    const known = await makeMember(api)
    await writeTransitions(api, known, 1, 10)
    await query(
      api.db,
      `update member_transition set evidence = jsonb_build_object('x', repeat('x', 1024 * 1024))`,
    )
    const seen: number[] = []
    let path: string | undefined = '/transitions?limit=10'
    const sizes: number[] = []
    while (path !== undefined && sizes.length < 3) {
      const { body } = await api.call('GET', path)
      const page = body.transitions as Wire[]
      sizes.push(page.length)
      seen.push(...details(page))
      const links = (body.transitions_links ?? []) as { rel: string; href: string }[]
      path = page.length === 0 ? undefined : links.find(({ rel }) => rel === 'next')?.href
    }
    assert.deepEqual(
      [sizes, seen],
      [
        [7, 3],
        [10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
      ],
    )
  })

  test('history outlives the pool, and a pool that never was is 404', async (t) => {
    const api = await startPoolApi(t)
    const { elsewhere } = await farm(api)
    await api.call('DELETE', `/pools/${elsewhere.poolId}/members/${elsewhere.memberId}`)
    await query(api.db, 'delete from pool where id = $1', [elsewhere.poolId])
    const { body } = await api.call('GET', ofPool(elsewhere))
    assert.deepEqual(details(body.transitions as Wire[]), [2])
    const id = randomUUID()
    const unknown = await api.call('GET', `/pools/${id}/transitions`)
    assert.deepEqual([unknown.status, unknown.body.error_msg], [404, `pool ${id} could not be found.`])
  })

  test('both lists are walked by an index, whatever else there is', async (t) => {
    const api = await startPoolApi(t)
    await farm(api)
    await query(
      api.db,
      `insert into member_transition (member_id, pool_id, project_id, at, from_state, to_state, reason, generation, epoch, sequence)
       select gen_random_uuid(), gen_random_uuid(), 'project-' || n % 50, now(), 'OFFLINE', 'ONLINE', 'PASSED', 1, 1, n
       from generate_series(1, 20000) n`,
    )
    await query(api.db, 'analyze member_transition')
    for (const column of ['pool_id', 'project_id']) {
      const plan = await query<{ 'QUERY PLAN': string }>(
        api.db,
        `explain select * from member_transition t where t.${column} =
           (select ${column} from member_transition limit 1) order by t.id desc limit 10`,
      )
      const text = plan.map((row) => row['QUERY PLAN']).join('\n')
      assert.match(text, new RegExp(`member_transition_${column}_id_idx`), text)
    }
  })
})
