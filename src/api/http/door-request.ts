/** Which requests came in by a listener that belongs to one door: nothing else answers there. */
import type { IncomingMessage, RequestListener } from 'node:http'

const DOORS = new WeakMap<IncomingMessage, string>()

/** The handler of a listener that belongs to a door. */
export function throughDoor(door: string, handler: RequestListener): RequestListener {
  return (request, response) => {
    DOORS.set(request, door)
    handler(request, response)
  }
}

/** The door whose listener a request came in by; undefined = the listener of the whole API. */
export function doorOfListener(request: IncomingMessage): string | undefined {
  return DOORS.get(request)
}
