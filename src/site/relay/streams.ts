/** Makes what a site keeps in NATS: three streams and a bucket. Those that are there get the present settings. */
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { RESULT_ID_KNOWN_MS, RESULT_STREAM_MAX_BYTES } from '../../domain/limits.ts'
import { reaching } from '../away.ts'
import type { Reached } from '../connection.ts'
import type { SiteNames } from '../subjects.ts'

type Stream = Pick<StreamConfig, 'name' | 'subjects'> & Partial<StreamConfig>

const NANOSECONDS_PER_MS = 1_000_000

function streamsOf(names: SiteNames): readonly Stream[] {
  const last = { max_msgs_per_subject: 1, discard: DiscardPolicy.Old }
  return [
    {
      name: names.configStream,
      subjects: [names.configSubjects],
      ...last,
    },
    {
      name: names.checkpointStream,
      subjects: [names.checkpointSubjects],
      ...last,
    },
    {
      name: names.resultStream,
      subjects: [names.resultSubjects],
      max_bytes: RESULT_STREAM_MAX_BYTES,
      // A full stream refuses: probers keep what is new. To forget what is old would lose transitions.
      discard: DiscardPolicy.New,
      duplicate_window: RESULT_ID_KNOWN_MS * NANOSECONDS_PER_MS,
    },
  ]
}

/** Rejects with SiteAway. */
export async function makeStreams({ jsm, js }: Reached, names: SiteNames): Promise<void> {
  for (const stream of streamsOf(names)) {
    const config = {
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      allow_direct: true,
      ...stream,
    }
    await reaching(`the stream ${stream.name} cannot be made`, async () => {
      const isThere = await jsm.streams.info(stream.name).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Error && /stream not found/.test(error.message)) return false
          throw error
        },
      )
      await (isThere ? jsm.streams.update(stream.name, config) : jsm.streams.add(config))
    })
  }
  await reaching(`the bucket ${names.leaseBucket} cannot be made`, () =>
    new Kvm(js).create(names.leaseBucket, { history: 1 }),
  )
}
