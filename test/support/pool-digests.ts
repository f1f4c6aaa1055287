/** What a fake store answers when a prober asks whether pools have changed. */

/** A text for each shard that has pools; another one when a pool comes, goes or changes. */
export function digestsOf(
  pools: ReadonlyMap<string, { readonly shard: number; readonly configVersion: number }>,
): ReadonlyMap<number, string> {
  const digests = new Map<number, string>()
  for (const [id, { shard, configVersion }] of pools)
    digests.set(shard, `${digests.get(shard) ?? ''} ${id} ${configVersion}`)
  return digests
}
