/** Positions of events, in tests that are quicker than the once-a-second look of a process. */
import type { Db } from '../../src/store/connection/database.ts'
import { sequenceEvents } from '../../src/store/event/events.ts'

/** Resolves when every event that was committed before has its position, whoever gave it. */
export async function sequenceAllEvents(db: Db): Promise<void> {
  while ((await sequenceEvents(db, 5000)) !== 'none');
}
