/** The one stream of events of the page. */
import { EventFeed, type Listener } from './event-feed.ts'
import { openStream } from './event-stream.ts'
import { askForEvents } from './request.ts'
import { noteRefusal } from './session.ts'

const feed = new EventFeed()
export const { isLive, events } = feed

/** Hears of every event, and of undefined when events may have been missed; the returned function ends that. */
export const onChange = (listener: Listener): (() => void) => feed.onChange(listener)

/** Follows the events of a project, or of all that one may see; the returned function ends that. */
export function follow(projectId: string | undefined): () => void {
  const query = projectId === undefined ? '' : `project_id=${encodeURIComponent(projectId)}`
  return feed.follow((parts) =>
    openStream({
      ...parts,
      connect: (after, signal) => askForEvents(query, after, signal),
      onRefused: noteRefusal,
    }),
  )
}
