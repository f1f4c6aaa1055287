/** Statements on the certificates that members show: what probers write, fenced as verdicts are (verdicts.ts), and its retention. */
import type { CertificateWrite } from '../../domain/prober/check.ts'
import { type Db, query } from '../connection/database.ts'

/** Rows that would not change are not touched: after a restart every certificate is seen again. */
const WRITE_CERTIFICATES = `
with wanted as materialized (
  select * from unnest($1::smallint[], $2::bigint[]) as w (id, epoch)
), held as materialized (
  select s.id, s.epoch
  from shard s join wanted w on w.id = s.id and w.epoch = s.epoch
  where s.owner = $3
  order by s.id
  for share of s
), shown as materialized (
  select b.member_id, m.project_id, b.generation, to_timestamp(b.not_after_ms / 1000) as not_after,
    case when b.warning_days > 0 then to_timestamp(b.not_after_ms / 1000) - b.warning_days * interval '1 day' end as warn_at,
    b.subject, b.issuer
  from unnest($4::uuid[], $5::bigint[], $6::float8[], $7::integer[], $8::text[], $9::text[], $10::smallint[], $11::bigint[])
    as b (member_id, generation, not_after_ms, warning_days, subject, issuer, shard, epoch)
  join held h on h.id = b.shard and h.epoch = b.epoch
  join member m on m.id = b.member_id
)
insert into member_certificate as old (member_id, project_id, generation, not_after, warn_at, subject, issuer)
select s.* from shown s
where not exists (
  select from member_certificate c
  where c.member_id = s.member_id and (c.generation, c.not_after, c.subject, c.issuer)
      = (s.generation, s.not_after, s.subject, s.issuer)
    and c.warn_at is not distinct from s.warn_at)
order by s.member_id
on conflict (member_id) do update set
  generation = excluded.generation, not_after = excluded.not_after, warn_at = excluded.warn_at,
  subject = excluded.subject, issuer = excluded.issuer`

/** Writes certificates of shards that `owner` holds at their epochs; at most one row per member. Others are left out. */
export async function writeCertificates(
  db: Db,
  owner: string,
  rows: readonly CertificateWrite[],
): Promise<void> {
  const epochs = new Map<number, number>()
  for (const { shard, epoch } of rows) epochs.set(shard, Math.max(epoch, epochs.get(shard) ?? epoch))
  await query(db, WRITE_CERTIFICATES, [
    [...epochs.keys()],
    [...epochs.values()],
    owner,
    rows.map((row) => row.memberId),
    rows.map((row) => row.generation),
    rows.map((row) => row.notAfter),
    rows.map((row) => row.warningDays),
    rows.map((row) => row.subject),
    rows.map((row) => row.issuer),
    rows.map((row) => row.shard),
    rows.map((row) => row.epoch),
  ])
}

/** Deletes at most `batch` certificates that were written while their member was being deleted; returns how many. */
export async function purgeOrphanedCertificates(db: Db, batch: number): Promise<number> {
  const [row] = await query<{ n: number }>(
    db,
    `with gone as (
       delete from member_certificate where member_id in (
         select c.member_id from member_certificate c
         where not exists (select from member m where m.id = c.member_id) limit $1
       ) returning 1
     ) select count(*) as n from gone`,
    [batch],
  )
  return row?.n ?? 0
}
