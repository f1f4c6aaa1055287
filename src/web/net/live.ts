/** The one stream of events of the page. */
import { EventFeed, type Listener } from './event-feed.ts'
import { openStream } from './event-stream.ts'
import { pathWith } from './query.ts'
import { askForEvents } from './request.ts'
import { noteRefusal } from './session.ts'

const feed = new EventFeed()
export const { isLive, events } = feed

/** Gets every event, and undefined when events may have been missed; the returned function ends that. */
export const onChange = (listener: Listener): (() => void) => feed.onChange(listener)

/** Follows the events of a project, or of all that one may see; the returned function ends that. */
export function follow(projectId: string | undefined): () => void {
  const path = pathWith('v1/events', { project_id: projectId })
  return feed.follow((parts) =>
    openStream({
      ...parts,
      connect: (after, signal) => askForEvents(path, after, signal),
      onRefused: noteRefusal,
    }),
  )
}
